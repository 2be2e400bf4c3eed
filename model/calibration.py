"""How far a student's probabilities can be trusted: temperature, and candidate sets with a stated coverage.

Temperature scaling after Guo et al. 2017 (arXiv 1706.04599); split conformal prediction after Vovk et al. 2005, with
the finite-sample rank of Angelopoulos and Bates 2021 (arXiv 2107.07511). Labels used here must not have been trained
on. With too few labels the answer is NotEnoughDataError or None, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray
from model.errors import NotEnoughDataError
from model.text_groups import folds

LEAST_FOR_TEMPERATURE = 30
LEAST_FOR_BOTH = 2 * LEAST_FOR_TEMPERATURE  # one half for the temperature, the other for the thresholds
TINY = 1e-12
KEPT = "human labels kept for testing"  # as people read of them; no student learns from them


def tempered(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Probabilities `(n, C)` to the power 1 / temperature, re-normalised; the order of labels does not change."""
    logits = np.log(np.maximum(probabilities, TINY)) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares: FloatArray = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
    return shares


def likelihood_loss(probabilities: FloatArray, labels: IntArray) -> float:
    """Mean negative log-likelihood of true labels `(n,)`."""
    return -float(np.log(np.maximum(probabilities[np.arange(len(labels)), labels], TINY)).mean())


def fit_temperature(probabilities: FloatArray, labels: IntArray) -> float:
    """The temperature in [0.1, 20] with the least loss on held-out human labels, by golden-section search.

    NotEnoughDataError with fewer than 30 labels.
    """
    if len(labels) < LEAST_FOR_TEMPERATURE:
        raise NotEnoughDataError(
            f"{len(labels)} held-out human labels, {LEAST_FOR_TEMPERATURE} are needed for a temperature"
        )
    low, high, ratio = math.log(0.1), math.log(20.0), (math.sqrt(5.0) - 1.0) / 2.0

    def loss(log_temperature: float) -> float:
        return likelihood_loss(tempered(probabilities, math.exp(log_temperature)), labels)

    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2.0)


def expected_calibration_error(probabilities: FloatArray, labels: IntArray, bins: int = 10) -> float | None:
    """Mean gap between confidence and accuracy over equally wide bins; None without labels."""
    if not len(labels):
        return None
    confidence, hits = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(float(confidence[place == number].mean() - hits[place == number].mean())) * float((place == number).mean())
        for number in range(bins)
        if (place == number).any()
    ]
    return sum(gaps)


def least_labels(coverage: float) -> int:
    """Held-out labels without which a coverage cannot be promised: the smallest n with ceil((n+1) * coverage) <= n."""
    if not 0.0 < coverage < 1.0:
        raise ValueError(f"coverage must lie in (0, 1), got {coverage}")
    return math.ceil(round(coverage / (1.0 - coverage), 9))


def conformal_threshold(probabilities: FloatArray, labels: IntArray, coverage: float) -> float | None:
    """The largest score 1 - p that still belongs to a set, so that sets hold the truth with at least `coverage`.

    Split conformal, finite-sample: the ceil((n + 1) * coverage)-th smallest score of n held-out human labels. None if
    there are too few of them to promise that coverage.
    """
    count = len(labels)
    if count < least_labels(coverage):
        return None
    scores = np.sort(1.0 - probabilities[np.arange(count), labels].astype(np.float64))
    rank = math.ceil(round((count + 1) * coverage, 9))
    return float(scores[min(rank, count) - 1])


def covered_sets(probabilities: FloatArray, threshold: float | FloatArray) -> BoolArray:
    """Candidate sets bool `(n, C)`: labels whose score 1 - p is within the threshold (one, or one per label).

    Never empty: the most likely label is always in.
    """
    sets: BoolArray = 1.0 - probabilities.astype(np.float64) <= np.asarray(threshold, np.float64) + 1e-12
    sets[np.arange(len(sets)), probabilities.argmax(1)] = True
    return sets


@dataclass(frozen=True)
class Calibration:
    """What may be promised about a student, kept in its card. Thresholds are None where labels are too few.

    With `by_class` every class has its own threshold; classes with too few labels take the common one. `error` is the
    expected calibration error of the tempered probabilities.
    """

    temperature: float
    coverage: float
    labels: int
    threshold: float | None
    per_class: tuple[float | None, ...] = ()
    note: str = ""
    by_class: bool = False
    error: float | None = None

    def to_json(self) -> dict[str, object]:
        """A plain object."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> Calibration:
        """The inverse of `to_json`; TypeError if a field is missing or unknown."""
        known = dict(content)
        per_class = known.pop("per_class", ())
        return cls(per_class=tuple(per_class), **known)  # type: ignore[arg-type]

    def sets(self, probabilities: FloatArray) -> BoolArray:
        """Candidate sets of the stated coverage `(n, C)` for calibrated probabilities.

        NotEnoughDataError if it cannot be promised.
        """
        if self.threshold is None:
            raise NotEnoughDataError(self.note)
        if not self.by_class:
            return covered_sets(probabilities, self.threshold)
        common = self.threshold
        own = np.array([common if value is None else value for value in self.per_class], np.float32)
        return covered_sets(probabilities, own)


def calibrate(
    probabilities: FloatArray,
    labels: IntArray,
    coverage: float = 0.9,
    by_class: bool = False,
    temper: bool = True,
    groups: IntArray | None = None,
) -> Calibration:
    """Temperature and thresholds from held-out human labels `(n,)` and probabilities `(n, C)` at temperature 1.

    The temperature is fitted on one half of the rows and the thresholds on the other, so that the promise stays exact;
    rows of one text (`groups` `(n,)`, else every row is its own) are never in both. With too few
    labels the temperature is 1, thresholds are None and `note` says how many are missing. `temper=False` leaves the
    temperature at 1 and all rows to the thresholds.
    """
    half = np.arange(len(labels)) % 2 if groups is None else folds(groups, 2, 0)
    fitted, judged = half == 0, half == 1
    temperature, notes = 1.0, []
    if temper and len(labels) >= LEAST_FOR_BOTH:
        temperature = fit_temperature(probabilities[fitted], labels[fitted])
    else:
        judged = half >= 0
        if temper:
            notes.append(f"calibrated scores take {LEAST_FOR_BOTH} {KEPT}, there are {len(labels)}")
    shares, truth = tempered(probabilities, temperature)[judged], labels[judged]
    threshold = conformal_threshold(shares, truth, coverage)
    if threshold is None:
        notes.append(f"promising {coverage:.0%} takes {least_labels(coverage)} {KEPT}, there are {len(truth)}")
    own = tuple(
        conformal_threshold(shares[truth == label], truth[truth == label], coverage)
        for label in range(probabilities.shape[1])
    )
    error = expected_calibration_error(shares, truth) if len(truth) >= LEAST_FOR_TEMPERATURE else None
    return Calibration(temperature, coverage, len(labels), threshold, own, "; ".join(notes), by_class, error)
