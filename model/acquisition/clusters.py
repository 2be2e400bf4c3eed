"""Weighted k-means in numpy: k-means++ seeding and a few of Lloyd's steps, the same result for the same generator."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from model.arrays import FloatArray, IntArray

ITERATIONS = 8


def kmeans(vectors: FloatArray, weights: FloatArray, count: int, generator: np.random.Generator) -> FloatArray:
    """Up to `count` centres `(k, d)` of vectors `(n, d)` with weights `(n,)` >= 0; fewer if fewer are different."""
    centres = seeds(vectors, weights, count, generator)
    for _ in range(ITERATIONS):
        owner, _ = nearest(vectors, centres)
        mass = np.bincount(owner, weights, len(centres))
        moved = centres.copy()
        for label in np.flatnonzero(mass > 0):
            mine = owner == label
            moved[label] = (weights[mine] @ vectors[mine]) / mass[label]
        if np.allclose(moved, centres, atol=1e-5):
            break
        centres = moved
    return centres


def seeds(vectors: FloatArray, weights: FloatArray, count: int, generator: np.random.Generator) -> FloatArray:
    """k-means++ (Arthur & Vassilvitskii 2007): each next centre with probability weight times squared distance."""
    squares = np.einsum("nd,nd->n", vectors, vectors)
    chance = np.asarray(weights, dtype=np.float64)
    chosen: list[int] = []
    distance = np.full(len(vectors), np.inf)
    while len(chosen) < min(count, len(vectors)):
        total = float(chance.sum())
        if total <= 1e-9 * len(vectors):
            break
        row = int(generator.choice(len(vectors), p=chance / total))
        chosen.append(row)
        gap = np.maximum(squares + squares[row] - 2.0 * (vectors @ vectors[row]), 0.0)
        gap[gap < 1e-6] = 0.0
        distance = np.minimum(distance, gap)
        chance = weights * distance
    return vectors[chosen].astype(np.float32)


def nearest(vectors: FloatArray, centres: FloatArray) -> tuple[IntArray, FloatArray]:
    """Number of the nearest centre `(n,)`, and the squared distance to it `(n,)`."""
    squares = np.einsum("nd,nd->n", vectors, vectors)
    gaps = np.einsum("kd,kd->k", centres, centres)[None, :] - 2.0 * (vectors @ centres.T)
    owner = gaps.argmin(axis=1)
    distance: FloatArray = np.maximum(gaps[np.arange(len(vectors)), owner] + squares, 0.0).astype(np.float32)
    return owner.astype(np.int64), distance


def quotas(sizes: Iterable[float], count: int) -> IntArray:
    """`count` places shared in proportion to sizes, largest remainders first, lower number on ties."""
    shares = np.fromiter(sizes, dtype=np.float64)
    exact = shares / max(shares.sum(), 1e-12) * count
    places = np.floor(exact).astype(np.int64)
    left = count - int(places.sum())
    places[np.argsort(-(exact - places), kind="stable")[:left]] += 1
    result: IntArray = places
    return result
