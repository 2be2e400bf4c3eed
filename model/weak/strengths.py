"""How far the teacher's preferences are corrected and how much similar texts count, chosen on human labels.

Without people both strengths are fixed compromises (see docs/evidence/quality.md). What is believed of a decided row
never used its own human label, so the labels judge every pair of strengths fairly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.arrays import IntArray
from model.training.data import TrainingData
from model.weak.chunks import Dense
from model.weak.neighbours import Opinion, pooled
from model.weak.posterior import PRIOR_STRENGTH, teacher_posterior
from model.weak.space import Space

LEAST_LABELS = 20
MARGIN = 1.0  # standard errors by which the squared error must fall below that of the fixed strengths
PRIORS = (0.25, 0.5, 0.75, 1.0)
TRUSTS = (0.0, None, 1.0)  # None: as much as similar texts explain
MOST_ROWS = 20_000  # rows on which strengths are compared; the decided ones are always among them


@dataclass(frozen=True)
class Strengths:
    """`prior` of `teacher_posterior`, `trust` of `pooled`; mean squared errors of the fixed and the best strengths
    where they differ."""

    prior: float = PRIOR_STRENGTH
    trust: float | None = None
    error_before: float | None = None
    error_after: float | None = None


def strengths(data: TrainingData, space: Space, rows: IntArray, labels: IntArray) -> Strengths:
    """Half-way to the strengths whose beliefs of the decided `rows` come closest to their `labels` (Brier score).

    The fixed ones unless the error falls by more than its standard error; the fixed ones with fewer than 20 labels.
    Half-way, because a few dozen labels overstate what is best.
    """
    if len(rows) < LEAST_LABELS:
        return Strengths()
    sample, places = _sample(len(data), rows)
    some, space = data if len(sample) == len(data) else data.rows(sample), space.of(sample)
    decided, people = np.zeros(len(some), np.bool_), np.zeros(len(some), np.int64)
    decided[places], people[places] = True, labels
    truth = np.eye(data.candidates.shape[1])[labels]
    errors: dict[Strengths, Dense] = {}
    explained = 0.0
    for prior in PRIORS:
        posterior = teacher_posterior(some, prior)
        first = Opinion(space, posterior, decided, people)
        for trust in TRUSTS:
            believed, found = pooled(posterior, space, decided, people, trust=trust, first=first)
            errors[Strengths(prior, trust)] = ((believed[places].astype(np.float64) - truth) ** 2).sum(1)
            explained = found.explained if Strengths(prior, trust) == Strengths() else explained
    return _chosen(errors, explained)


def _chosen(errors: dict[Strengths, Dense], explained: float) -> Strengths:
    """Half-way from the fixed strengths to the best ones; `explained` is what the fixed trust amounts to."""
    fixed = errors[Strengths()]
    best = min(errors, key=lambda one: float(errors[one].mean()))
    gain = fixed - errors[best]
    if gain.mean() <= MARGIN * gain.std() / math.sqrt(len(gain)):
        return Strengths()
    trust = None if best.trust is None else (max(0.0, explained) + best.trust) / 2.0
    errors_of = (float(fixed.mean()), float(errors[best].mean()))
    return Strengths((PRIOR_STRENGTH + best.prior) / 2.0, trust, *errors_of)


def _sample(count: int, rows: IntArray) -> tuple[IntArray, IntArray]:
    """At most MOST_ROWS row numbers, evenly spread, with all decided ones; and the places of these among them."""
    spread = np.unique(np.linspace(0, count - 1, min(count, MOST_ROWS)).astype(np.int64))
    sample = np.union1d(spread, rows)
    return sample, np.searchsorted(sample, rows)
