"""How frequent labels are: as the teacher says, all alike, or as people's labels say; each counts as these labels bear
it out.

A teacher that favours a label and a pool that is full of it give the same answers, so answers alone correct nothing.
With a fair sample of labels three suppositions are compared by the likelihood that each gave to the labels: what the
teacher says; that labels are about equally frequent; and that the odds of labels are off by one factor per label,
fitted to people's labels (bias-corrected scaling: Alexandari et al., 2020, arXiv 1901.06852) and judged by labels of
other folds. What is believed is their mean, weighed by their posterior probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from model.arrays import IntArray
from model.text_groups import folds
from model.weak.chunks import Dense, Shares, normalised, pieces, softened
from model.weak.judges import Known, weighted_mean

LEAST_FAIR = 10  # labels of a fair sample below which nothing is compared
MOST_LABELS = 2_000  # that are compared
DRAWS = 400
FOLDS = 10
TEACHER, EVEN = "teacher", "even"
BEFORE = {
    TEACHER: 4.0,
    EVEN: 2.0,
}  # what a supposition counts before many labels are seen; the second times its p-value
SPREADS = (0.5, 1.0)  # of the factors' logarithms; each counts 1 before
DOUBT = 10.0  # labels at which everything must be twice as clear as with many
OUTSIDE = 0.02  # mass spread over all labels before likelihoods are taken: nobody is sure
NEWTON = 30  # steps at most


@dataclass(frozen=True)
class Prior:
    """What each supposition counts in the end, by how many labels; `even_chance` is the p-value of a fair sample if
    labels were equally frequent."""

    labels: int = 0
    teacher: float = 1.0
    even: float = 0.0
    people: float = 0.0
    even_chance: float | None = None

    def to_json(self) -> dict[str, object]:
        """A plain object for reports."""
        return asdict(self)


def weighed(
    teacher: Shares, even: Callable[[], Shares], counts: Dense, known: Known, seed: int = 0, told_even: bool = False
) -> tuple[Shares, Dense, Prior]:
    """Beliefs `(n, C)`; those of the k `known` rows without their labels `(k, C)`; and what each supposition counts.

    `teacher` are beliefs as the teacher says, `even()` those if labels are equally frequent, both without a human
    label. `counts` `(C,)` are labels of a fair sample: with fewer than 10 of them what was `told_even` or not decides.
    """
    if counts.sum() < LEAST_FAIR or not len(known):
        taken = even() if told_even else teacher
        first = Prior(teacher=float(not told_even), even=float(told_even))
        return taken, taken[known.rows].astype(np.float64), first
    columns = len(counts)
    found = chance(counts, np.full(columns, 1.0 / columns), seed)
    before = {TEACHER: BEFORE[TEACHER] * _care(len(known)), EVEN: BEFORE[EVEN] * found}
    believed = {TEACHER: teacher, EVEN: even()}
    likely = Suppositions({name: shares[known.rows] for name, shares in believed.items()}, known, before, seed)
    result = np.empty_like(teacher)
    for piece in pieces(len(result)):
        result[piece] = likely.mean({name: shares[piece] for name, shares in believed.items()})
    named = {name: likely.counts[name] for name in (TEACHER, EVEN)}
    prior = Prior(len(known), **named, people=max(0.0, 1.0 - sum(named.values())), even_chance=found)
    return result, likely.unseen, prior


class Suppositions:
    """What each counts, what is believed of the known rows without their labels, and of other rows."""

    def __init__(self, own: dict[str, Shares], known: Known, before: dict[str, float], seed: int) -> None:
        """`own` are the beliefs `(k, C)` of the known rows by supposition, `before` is what these count before."""
        logs = {name: _logs(shares) for name, shares in own.items()}
        said = {name: np.exp(one) for name, one in logs.items()}
        some = np.unique(np.linspace(0, len(known) - 1, min(len(known), MOST_LABELS)).astype(np.int64))
        fold_of = folds(known.groups[some], min(FOLDS, len(some)), seed)
        self._factors: dict[str, Dense] = {}
        for spread in SPREADS:
            name = f"people {spread}"
            self._factors[name], said[name] = _fitted(logs[TEACHER], known, some, fold_of, spread)
        self.counts = _posterior(said, before, known, some)
        self.unseen: Dense = np.sum([self.counts[name] * said[name] for name in said], axis=0)

    def mean(self, believed: dict[str, Shares]) -> Dense:
        """The beliefs `(b, C)` of some rows, given those of the two that know no label."""
        logs = _logs(believed[TEACHER])
        fitted = {name: softened(logs + factors) for name, factors in self._factors.items()}
        every = {name: shares.astype(np.float64) for name, shares in believed.items()} | fitted
        return normalised(np.sum([self.counts[name] * shares for name, shares in every.items()], axis=0))


def _posterior(said: dict[str, Dense], before: dict[str, float], known: Known, some: IntArray) -> dict[str, float]:
    """What each supposition counts by the likelihood of the labels. What was fitted to labels must lead by a standard
    error of the difference, and with few labels by two: even the labels of other folds are the same few. And of n
    labels it counts n / (n + 10) at most."""
    labels, weights = known.labels[some], known.weights[some]
    gains = {name: np.log(shares[some, labels]) for name, shares in said.items()}
    logs = {name: float((weights * gain).sum()) for name, gain in gains.items()}
    best = max(before, key=lambda name: logs[name])
    for name in said.keys() - before.keys():
        _, error = weighted_mean(gains[name] - gains[best], weights)
        logs[name] -= float(weights.sum()) * error * _care(len(labels))
    logs = {name: total + math.log(before.get(name, 1.0)) for name, total in logs.items()}
    powers = {name: math.exp(one - max(logs.values())) for name, one in logs.items()}
    fitted, whole = sum(powers[name] for name in said.keys() - before.keys()), sum(powers.values())
    most = 1.0 / _care(len(labels))
    if fitted <= most * whole:
        return {name: power / whole for name, power in powers.items()}
    rest = {name: (1.0 - most) * share / sum(before.values()) for name, share in before.items()}
    return {name: rest.get(name, most * power / fitted) for name, power in powers.items()}


def _care(labels: int) -> float:
    """2 for ten labels, 1 for many."""
    return 1.0 + DOUBT / labels


def _fitted(logs: Dense, known: Known, some: IntArray, fold_of: IntArray, spread: float) -> tuple[Dense, Dense]:
    """The logarithms of the factors `(C,)` by all of the labels, and beliefs of the known rows `(k, C)`, each by the
    factors of the other folds; rows that took no part by those of all."""
    labels, weights = known.labels, known.weights
    factors = bias(logs[some], labels[some], weights[some], spread)
    unseen = softened(logs + factors)
    for fold in np.unique(fold_of):
        kept, held = some[fold_of != fold], some[fold_of == fold]
        unseen[held] = softened(logs[held] + bias(logs[kept], labels[kept], weights[kept], spread))
    return factors, unseen


def bias(logs: Dense, labels: IntArray, weights: Dense, spread: float) -> Dense:
    """The b `(C,)` under which softmax(logs + b) makes the labels likeliest, each b with a normal prior of this spread.

    Newton's method; the Hessian is that of multinomial logistic regression on constants, plus 1 / spread ** 2.
    """
    columns = logs.shape[1]
    found = np.zeros(columns)
    wanted = np.bincount(labels, weights, columns)
    for _ in range(NEWTON):
        shares = softened(logs + found)
        expected = weights @ shares
        slope = wanted - expected - found / spread**2
        curvature = np.diag(expected + 1.0 / spread**2) - (shares * weights[:, None]).T @ shares
        step = np.linalg.solve(curvature, slope)
        found += step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-6:
            break
    return found


def _logs(shares: Shares) -> Dense:
    """Logarithms of beliefs, some of their mass spread over all labels."""
    return np.log((1.0 - OUTSIDE) * normalised(shares.astype(np.float64)) + OUTSIDE / shares.shape[1])


def mean_shares(posterior: Shares | Dense) -> Dense:
    """Mean of the rows of `posterior`, re-normalised, `(C,)`."""
    total = np.zeros(posterior.shape[1])
    for piece in pieces(len(posterior)):
        total += normalised(posterior[piece].astype(np.float64)).sum(0)
    return np.asarray(total / max(1, len(posterior)), np.float64)


def chance(counts: Dense, mean: Dense, seed: int = 0) -> float:
    """P-value of a multinomial G-test of `counts` `(C,)` against `mean` `(C,)`, exact by 400 draws."""
    number = round(float(counts.sum()))
    drawn = np.random.default_rng(seed).multinomial(number, mean / mean.sum(), DRAWS).astype(np.float64)
    found, by_chance = _divergence(counts[None], mean)[0], _divergence(drawn, mean)
    return float((1 + (by_chance >= found - 1e-9).sum()) / (DRAWS + 1))


def _divergence(counts: Dense, mean: Dense) -> Dense:
    shares = np.maximum(counts, 1e-12) / counts.sum(1, keepdims=True)
    terms: Dense = (counts * np.log(shares / np.maximum(mean, 1e-12))).sum(1)
    return terms
