"""A linear mixture of what is believed with what people's labels say alone: their heads, and how frequent they are.

The pool of `supervised` multiplies experts: one that is sure of a wrong label vetoes the right one. Where a teacher
misreads the label that nearly all tasks have, few labels do not prove that it is worse than their commonest label, but
they tell how much each counts: the shares under which labels that no expert has seen are likeliest (a linear opinion
pool, stacked as in Wolpert, 1992), by EM, with so much before for what is believed that few labels change little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.weak.chunks import Dense, Shares, pieces
from model.weak.floor import frequencies
from model.weak.judges import Known
from model.weak.supervised import Heads

BEFORE = np.array([5.0, 1.0, 1.0])  # labels that each counts before any: beliefs, heads, frequencies
ROUNDS = 100  # of EM
OUTSIDE = 0.02  # mass spread over all labels before likelihoods are taken


@dataclass(frozen=True)
class Mixture:
    """The share of each in what is believed."""

    believed: float = 1.0
    heads: float = 0.0
    frequencies: float = 0.0


def mixed(believed: Shares, left_out: Dense, heads: Heads | None, known: Known) -> tuple[Shares, Dense, Mixture]:
    """Beliefs `(n, C)`, and those of the k known rows without the labels of their text `(k, C)`, mixed alike.

    As they are where there are no heads (then labels are too few, or all alike), and where scores chose the labels,
    which then say little about frequencies."""
    if heads is None or (known.weights != 1.0).any():
        return believed, left_out, Mixture()
    common, unseen = frequencies(known, believed.shape[1])
    experts, mine = (left_out, heads.unseen, unseen), heads.judges
    shares = weights([one[mine] for one in experts], known.of(mine))
    result = np.empty_like(believed)
    for piece in pieces(len(believed)):
        parts = (believed[piece].astype(np.float64), heads.said[piece].astype(np.float64), common[None])
        result[piece] = sum(share * part for share, part in zip(shares, parts, strict=True))
    mean: Dense = np.sum([share * one for share, one in zip(shares, experts, strict=True)], axis=0)
    return result, mean, Mixture(*(float(share) for share in shares))


def weights(experts: list[Dense], known: Known) -> Dense:
    """The shares of the experts' answers `(k, C)`, which sum to 1, by EM from what each counts before."""
    rows, count = np.arange(len(known)), experts[0].shape[1]
    likely = np.stack([(1.0 - OUTSIDE) * one[rows, known.labels] + OUTSIDE / count for one in experts], axis=1)
    found = BEFORE / BEFORE.sum()
    for _ in range(ROUNDS):
        mine = likely * found
        mine /= mine.sum(1, keepdims=True)
        total = known.weights @ mine + BEFORE
        found = total / total.sum()
    return np.asarray(found, np.float64)
