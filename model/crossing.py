"""Is a cross-encoder worth its cost beside the student? Tried on a quarter of the tasks, which neither has learned.

Both learn the other three quarters from the same targets. The mean of their probabilities is taken where it is right
more often and its quadratic score (Brier, 1950) is better beyond noise; people's labels judge, where there are enough.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from model.arrays import BoolArray, Embed, FloatArray, IntArray, Progress, Stop
from model.errors import NotEnoughDataError
from model.labels import LabelSpace
from model.student.adapted import AdaptedEncoder, AdaptedStudent
from model.student.head import HeadStudent
from model.text_groups import folds, text_groups
from model.train import train_student
from model.training.cross_training import learn
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.beliefs import beliefs

if TYPE_CHECKING:
    from model.student.cross_encoder import CrossEncoder

LEAST_ROWS = 200  # tasks with an answer, before a cross-encoder is tried
FOLDS = 4  # one of them judges
LEAST_JUDGES = 50  # labels of people among them, without which all answers judge
MOST_LEARNED, MOST_JUDGES = 20_000, 2_000  # tasks, so that a trial takes minutes
SURE = 1.64  # standard errors by which the quadratic score must be better: one-sided 5 %


@dataclass(frozen=True)
class Trial:
    """What it found. Shares of right answers on `judges` tasks: of the student `alone`, of the `cross`-encoder and of
    the mean of `both`; `gain` in the quadratic score with its standard `error`; its costs in seconds."""

    judged_by: str
    judges: int
    learned: int
    alone: float
    cross: float
    both: float
    gain: float
    error: float
    training_seconds: float
    seconds_per_1000: float

    @property
    def pays(self) -> bool:
        """Whether the mean of both is served."""
        return self.both > self.alone and self.gain > SURE * self.error

    def to_json(self) -> dict[str, object]:
        """A plain object."""
        return {**asdict(self), "pays": self.pays}


def tried(
    space: LabelSpace,
    data: TrainingData,
    options: TrainingOptions,
    embed: Embed,
    own: AdaptedEncoder | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> tuple[CrossEncoder, Trial]:
    """Train a cross-encoder on three quarters of the data and judge it beside a student of the same.

    An `own` encoder may have learned from labels that judge: that speaks for the student alone.
    NotEnoughDataError with fewer than 200 rows, TrainingStopped after `stop()` says so.
    """
    if len(data) < LEAST_ROWS:
        raise NotEnoughDataError(f"{len(data)} tasks with an answer, {LEAST_ROWS} are needed to try a cross-encoder")
    data = replace(data, unlabelled=())
    fold_of = folds(text_groups(data.texts, None, options.pair), FOLDS, options.seed)
    some = _some(np.flatnonzero(fold_of > 0), MOST_LEARNED, options.seed)
    learned, (judges, truth, by) = data.rows(some), _judges(data, fold_of == 0, options.seed)
    student, _ = train_student(space, learned, options, embed, None, stop, own)
    assert isinstance(student, HeadStudent | AdaptedStudent), "a pair's student of this method is one"
    vectors, view = student.vectors(learned.texts, embed), student.view
    features = vectors if view is None else view.parted(vectors)[0]
    targets = np.asarray(beliefs(learned, features, options, stop).shares, np.float32)
    started = time.monotonic()
    cross = learn(learned.texts, targets, options, progress, stop)
    seconds, started = time.monotonic() - started, time.monotonic()
    texts = [data.texts[row] for row in judges]
    said = cross.probabilities(texts)
    each = 1_000 * (time.monotonic() - started) / len(texts)
    return cross, judged(student.probabilities(texts, embed), said, truth, by, len(learned), (seconds, each))


def judged(
    alone: FloatArray, cross: FloatArray, truth: IntArray, by: str, learned: int, costs: tuple[float, float]
) -> Trial:
    """The figures of probabilities `(n, C)` of n tasks with true labels `(n,)`."""
    both: FloatArray = (alone + cross) / np.float32(2)
    right = [float((shares.argmax(1) == truth).mean()) for shares in (alone, cross, both)]
    gains = _quadratic(alone, truth) - _quadratic(both, truth)
    error = float(gains.std() / np.sqrt(len(gains)))
    alone_right, cross_right, both_right = right
    gain = float(gains.mean())
    return Trial(by, len(truth), learned, alone_right, cross_right, both_right, gain, error, *costs)


def _quadratic(shares: FloatArray, truth: IntArray) -> FloatArray:
    """Brier's score of each row `(n,)`; 0 is the best."""
    found: FloatArray = ((shares - np.eye(shares.shape[1], dtype=np.float32)[truth]) ** 2).sum(1)
    return found


def _judges(data: TrainingData, aside: BoolArray, seed: int) -> tuple[IntArray, IntArray, str]:
    """Rows that judge, their labels, and whose those are: people's, or where they are few all first answers."""
    decided = np.flatnonzero(aside & data.decided)
    if len(decided) >= LEAST_JUDGES:
        rows, by = decided, "people"
    else:
        rows, by = np.flatnonzero(aside & (data.decided | (data.first >= 0))), "people and the teacher"
    if not len(rows):
        raise NotEnoughDataError("no answer is left to judge a cross-encoder by")
    rows = _some(rows, MOST_JUDGES, seed)
    labels = np.where(data.decided[rows], data.candidates[rows].argmax(1), data.first[rows])
    return rows, labels.astype(np.int64), by


def _some(rows: IntArray, most: int, seed: int) -> IntArray:
    """At most so many of them, at random."""
    if len(rows) <= most:
        return rows
    found: IntArray = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return found


def cost_words(trial: dict[str, object]) -> str:
    """What a cross-encoder costs, for people."""
    return f"{trial['seconds_per_1000']:.1f} seconds for 1,000 pairs"


def sentence(trial: dict[str, object]) -> str:
    """What came of a trial, for people."""
    shares = {name: f"{100 * float(str(trial[name])):.1f} %" for name in ("alone", "cross", "both")}
    of = f"{trial['judges']} tasks that neither had learned, judged by {trial['judged_by']}"
    figures = f"alone {shares['alone']}, with it {shares['both']} (the cross-encoder alone {shares['cross']}) of {of}"
    how = "is used" if trial["pays"] else "is not used, because it does not help beyond chance"
    return f"A cross-encoder {how}: the student was right in {figures}; it costs {cost_words(trial)}"
