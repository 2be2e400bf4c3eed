"""From probabilities of labels to an answer: of each question the likeliest label, of levels in order the median, or
where several may be right all above a threshold.

Thresholds are chosen on tasks that people decided, with probabilities of heads that have not seen these tasks. Measured
on nlupp and goemotions: a threshold of .5 ticks far too little, one of its own for each label needs many labels; see
docs/evidence/answers.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.arrays import BoolArray, FloatArray, IntArray
from model.groups import Group, GroupKind
from model.labels import AnswerKind, LabelSpace

ENOUGH = 30  # decided tasks from which on a threshold is chosen by micro-F1
HALF_TRUST = 10.0  # tasks with a label at which its own threshold counts half
FOLDS = 5
TINY = 1e-6
NEVER = 2.0  # the thresholds of a question that is left to the teacher


@dataclass(frozen=True)
class Thresholds:
    """`values` `(C,)`: a label is ticked from this probability on. `rule` says how they were chosen."""

    values: FloatArray
    rule: str


def ticked(space: LabelSpace, probabilities: FloatArray, thresholds: FloatArray | None) -> BoolArray:
    """The answer to each row of probabilities `(n, C)`, bool `(n, C)`, question by question.

    One label is right: the likeliest, always exactly one; of levels in order the median. Several: those at or above
    their thresholds `(C,)`, and where the label config wants at least one, the one nearest to its threshold. A question
    that is not asked beside the other answers, or whose thresholds are NEVER, has none.
    """
    answers = np.zeros(probabilities.shape, np.bool_)
    limits = np.full(len(space), 0.5, np.float32) if thresholds is None else thresholds
    for group in space.groups:
        if not left_open(group, thresholds):
            answers[:, group.columns] = _group_ticked(group, probabilities[:, group.columns], limits[group.columns])
        answers[:, group.columns] &= _is_asked(space, group, answers)[:, None]
    return answers


def left_open(group: Group, thresholds: FloatArray | None) -> bool:
    """Whether a student does not answer a question, because it knew too little of it."""
    return thresholds is not None and bool((thresholds[group.columns] >= NEVER).all())


def chosen(kind: AnswerKind | GroupKind, shares: FloatArray) -> IntArray:
    """The label of each row of probabilities `(n, C)` where one is right: the likeliest, of levels in order the median,
    which is the nearest on average."""
    median = np.cumsum(shares, 1) >= 0.5 * shares.sum(1, keepdims=True)
    answers: IntArray = np.asarray((median if kind == "ordered" else shares).argmax(1), np.int64)
    return answers


def _group_ticked(group: Group, shares: FloatArray, limits: FloatArray) -> BoolArray:
    answers: BoolArray = np.zeros(shares.shape, np.bool_)
    rows = np.arange(len(shares))
    if group.kind != "any":
        answers[rows, chosen(group.kind, shares)] = True
        return answers
    answers = shares >= limits
    if group.least:
        none = ~answers.any(1)
        nearest = (shares / np.maximum(limits, TINY)).argmax(1)
        answers[rows[none], nearest[none]] = True
    return answers


def expected_right(
    space: LabelSpace, probabilities: FloatArray, answers: BoolArray, thresholds: FloatArray | None
) -> FloatArray:
    """How good answers `(n, C)` are expected to be, float32 `(n,)` in [0, 1]: the mean over the questions that are
    answered, of the label's probability where one is right, else of the expected F1."""
    total, number = np.zeros(len(answers), np.float32), np.zeros(len(answers), np.float32)
    for group in space.groups:
        shares, said = probabilities[:, group.columns], answers[:, group.columns]
        found = expected_f1(shares, said) if group.kind == "any" else (shares * said).sum(1)
        counts = said.any(1)
        if group.kind == "any" and not left_open(group, thresholds):
            counts = _is_asked(space, group, answers)
        total += np.where(counts, found, 0.0).astype(np.float32)
        number += counts
    return np.asarray(total / np.maximum(number, 1.0), np.float32)


def expected_f1(probabilities: FloatArray, answers: BoolArray) -> FloatArray:
    """The F1 of the expected counts of answers `(n, C)`, float32 `(n,)` in [0, 1]; for an empty answer the probability
    that no label is right."""
    inside = (probabilities * answers).sum(1)
    size = answers.sum(1) + probabilities.sum(1)
    empty = np.exp(np.log(np.maximum(1.0 - probabilities, TINY)).sum(1))
    shares = np.where(answers.any(1), 2.0 * inside / np.maximum(size, TINY), empty)
    return np.clip(shares, 0.0, 1.0).astype(np.float32)


def closest(space: LabelSpace, probabilities: FloatArray, thresholds: FloatArray | None) -> FloatArray:
    """Each row as a choice of two, float32 `(n, 2)`, so that rules for one right label can tell which are uncertain.

    Of several labels the least decided one: (ticked, not ticked), equal at the threshold; of one label the first two.
    Of several questions the mean over those that are asked and answered.
    """
    limits = [None if thresholds is None else thresholds[group.columns] for group in space.groups]
    if not space.questions:
        return _closest(space.groups[0], probabilities, limits[0])
    total, number = np.zeros(len(probabilities)), np.zeros(len(probabilities))
    answers = ticked(space, probabilities, thresholds)
    for group, own in zip(space.groups, limits, strict=True):
        if not left_open(group, thresholds):
            here = _is_asked(space, group, answers)
            total += np.where(here, _closest(group, probabilities[:, group.columns], own).max(1), 0.0)
            number += here
    leads = np.where(number > 0, total / np.maximum(number, 1), 1.0)
    return np.stack([leads, 1.0 - leads], 1).astype(np.float32)


def _is_asked(space: LabelSpace, group: Group, answers: BoolArray) -> BoolArray:
    """Rows `(n,)` with answers `(n, C)` to the questions before it, in which a question is asked."""
    here: BoolArray = np.ones(len(answers), np.bool_)
    for one in group.when:
        here &= answers[:, [space.index(label) for label in one.labels]].any(1) == one.chosen
    return here


def _closest(group: Group, probabilities: FloatArray, thresholds: FloatArray | None) -> FloatArray:
    if group.kind != "any":
        second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
        share = 0.5 + 0.5 * (first - second).astype(np.float64)
        return np.stack([share, 1.0 - share], 1).astype(np.float32)
    limits = np.full(probabilities.shape[1], 0.5) if thresholds is None else thresholds.astype(np.float64)
    shifted = logit(probabilities.astype(np.float64)) - logit(limits)
    nearest = np.abs(shifted).argmin(1)
    share = 1.0 / (1.0 + np.exp(-shifted[np.arange(len(shifted)), nearest]))
    return np.stack([share, 1.0 - share], 1).astype(np.float32)


def as_many(probabilities: FloatArray, mean: float) -> Thresholds:
    """One threshold with which rows get `mean` labels on average: all that a handful of answers can tell."""
    count = round(min(max(mean, 0.0), probabilities.shape[1]) * len(probabilities))
    ordered = np.sort(probabilities, axis=None)[::-1]
    at = 1.0 if not count else float(ordered[min(count, len(ordered)) - 1])
    return _common(max(at, TINY), probabilities.shape[1], f"as many as expected, {mean:.2f} labels a task")


def by_people(probabilities: FloatArray, truth: BoolArray, seed: int = 0) -> Thresholds:
    """Thresholds for rows `(k, C)` that no head behind the probabilities has seen, against people's answers.

    One common threshold with the best micro-F1. Each label's own, shrunken towards it, only where micro-F1 on rows that
    chose no threshold does not fall by more than its standard error.
    """
    fold_of = np.random.default_rng(seed).permutation(len(truth)) % FOLDS
    alone, own = np.zeros(truth.shape, np.bool_), np.zeros(truth.shape, np.bool_)
    for fold in range(FOLDS):
        kept, held = fold_of != fold, fold_of == fold
        common = best_common(probabilities[kept], truth[kept])
        alone[held] = probabilities[held] >= common
        own[held] = probabilities[held] >= shrunken(probabilities[kept], truth[kept], common)
    common = best_common(probabilities, truth)
    fall, error = _difference(alone, own, truth)
    if fall > error:
        return _common(common, truth.shape[1], f"one threshold, chosen on {len(truth)} answers of people")
    values = shrunken(probabilities, truth, common)
    return Thresholds(values, f"a threshold of each label's own, chosen on {len(truth)} answers of people")


def best_common(probabilities: FloatArray, truth: BoolArray) -> float:
    """The threshold with the best micro-F1 of all rows and labels."""
    return _best(probabilities.ravel(), truth.ravel())


def shrunken(probabilities: FloatArray, truth: BoolArray, common: float) -> FloatArray:
    """Each label's own threshold, drawn towards the common one the more, the fewer rows have the label; `(C,)`."""
    values = np.empty(truth.shape[1], np.float32)
    for label in range(truth.shape[1]):
        positive = int(truth[:, label].sum())
        weight = positive / (positive + HALF_TRUST)
        own = _best(probabilities[:, label], truth[:, label]) if positive else common
        values[label] = weight * own + (1.0 - weight) * common
    return values


def micro_f1(answers: BoolArray, truth: BoolArray) -> float:
    """Twice the hits over all that was ticked or true; 1 if nothing was."""
    both = int(answers.sum() + truth.sum())
    return 2.0 * int((answers & truth).sum()) / both if both else 1.0


def _best(probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.bool_]) -> float:
    """The threshold with the best F1, half-way to the next probability below; 1 without any true label."""
    order = np.argsort(-probabilities, kind="stable")
    ordered, hits = probabilities[order].astype(np.float64), np.cumsum(truth[order])
    if not hits[-1]:
        return 1.0
    scores = 2.0 * hits / (np.arange(1, len(hits) + 1) + hits[-1])
    scores[np.flatnonzero(ordered[:-1] == ordered[1:])] = -1.0  # a threshold cannot part equal probabilities
    at = int(scores.argmax())
    below = ordered[at + 1] if at + 1 < len(ordered) else 0.0
    return max(float((ordered[at] + below) / 2.0), TINY)


def _difference(alone: BoolArray, own: BoolArray, truth: BoolArray, draws: int = 200) -> tuple[float, float]:
    """By how much micro-F1 falls from `alone` to `own`, and the standard error of that (bootstrap over rows)."""
    random = np.random.default_rng(0)
    counts = [((one & truth).sum(1), one.sum(1) + truth.sum(1)) for one in (alone, own)]

    def fall(rows: IntArray) -> float:
        first, second = (2.0 * hits[rows].sum() / max(1, both[rows].sum()) for hits, both in counts)
        return float(first - second)

    drawn = [fall(random.integers(0, len(truth), len(truth))) for _ in range(draws)]
    return fall(np.arange(len(truth))), float(np.std(drawn))


def _common(value: float, labels: int, rule: str) -> Thresholds:
    return Thresholds(np.full(labels, value, np.float32), rule)


def logit(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log odds of probabilities, kept from 0 and 1."""
    kept = np.clip(shares, TINY, 1.0 - TINY)
    return np.asarray(np.log(kept) - np.log1p(-kept), np.float64)
