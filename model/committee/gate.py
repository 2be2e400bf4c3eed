"""Do no harm: a newly trained member, or committee, replaces the old one only if it is not worse where it counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from model.arrays import BoolArray, IntArray

RESAMPLES = 2000


@dataclass(frozen=True)
class Gate:
    """Limits. Accuracies are shares; `forgetting` is how much may be lost on tasks that all members agreed on.

    `strict` rejects what is worse by any amount. Otherwise it must be worse beyond noise: the whole interval below 0
    (or `-forgetting`). On 100 labels a better member loses by chance so often that the strict gate keeps stale ones.
    """

    strict: bool = False
    least_human: int = 50
    forgetting: float = 0.01
    least_label_rows: int = 20


@dataclass(frozen=True, slots=True)
class GateReport:
    """Whether the new one is promoted, why (not), and the paired difference with its 95 % bootstrap interval.

    `judged_on` is `people`, or `teacher` (then it measures agreement with the teacher, not truth), or `agreement`: only
    with what the old committee decided.
    """

    promoted: bool
    reason: str
    judged_on: str
    rows: int
    difference: float
    low: float
    high: float

    def to_json(self) -> dict[str, object]:
        """A plain object for the model card."""
        return asdict(self)


@dataclass(frozen=True)
class HoldOut:
    """Held-out tasks and what is known about them: label numbers `(n,)`, and whether a person gave them."""

    gold: IntArray
    human: BoolArray
    agreed: BoolArray  # accepted unanimously by the old committee: for forgetting

    def __post_init__(self) -> None:
        if not len(self.gold) == len(self.human) == len(self.agreed):
            raise ValueError("the arrays of a hold-out differ in length")


def judge(
    old: IntArray, new: IntArray, known: HoldOut, loss: float, gate: Gate | None = None, seed: int = 0
) -> GateReport:
    """Compare old and new labels `(n,)` on a hold-out.

    Promoted if (a) not less accurate (see `Gate.strict`) on people's labels (from 50 on; else on the teacher's), and on
    an exact tie better on the teacher's; (b) not more than `forgetting` lower where all agreed; (c) no label with 20
    rows is never found; (d) the loss is finite. With neither people's nor the teacher's labels, (b) to (d) decide.
    """
    gate = gate or Gate()
    reviewed = ~known.human & ~known.agreed
    by_people = int(known.human.sum()) >= gate.least_human
    rows = known.human if by_people else reviewed
    before, after = old == known.gold, new == known.gold
    low, high = paired_interval(before[rows], after[rows], seed)
    gain = share(after, rows) - share(before, rows)
    second = share(after, reviewed) - share(before, reviewed)
    judged = bool(rows.any())
    reason = "not worse"
    if not np.isfinite(loss):
        reason = f"the loss is {loss}"
    elif not judged and not known.agreed.any():
        reason = "nothing is held out to judge by"
    elif judged and (high < 0 or (gate.strict and gain < 0)):
        reason = f"less accurate by {-100 * gain:.1f} points"
    elif lost := forgotten(before[known.agreed], after[known.agreed], gate, seed):
        reason = f"forgot {100 * lost:.1f} points of what all members agreed on"
    elif judged and gain == 0 and second <= 0:
        reason = "no better"
    elif dead := dead_labels(new, known.gold, gate.least_label_rows):
        reason = f"never right on label number {', '.join(map(str, dead))}"
    place = "people" if by_people else "teacher" if judged else "agreement"
    return GateReport(reason == "not worse", reason, place, int(rows.sum()), gain, low, high)


def forgotten(before: BoolArray, after: BoolArray, gate: Gate, seed: int) -> float:
    """How much is lost of what all members agreed on, a share; 0 if it is within the gate's limit or noise."""
    if not len(before):
        return 0.0
    lost = float(before.mean() - after.mean())
    if lost <= gate.forgetting:
        return 0.0
    _, high = paired_interval(before, after, seed)
    return lost if gate.strict or high < -gate.forgetting else 0.0


def share(right: BoolArray, rows: BoolArray) -> float:
    """Share of right ones among some rows; 0 without any."""
    return float(right[rows].mean()) if rows.any() else 0.0


def dead_labels(answers: IntArray, gold: IntArray, least: int) -> list[int]:
    """Labels with at least `least` rows of which none is answered rightly."""
    return [
        label
        for label in np.unique(gold[gold >= 0]).tolist()
        if int((gold == label).sum()) >= least and not bool((answers[gold == label] == label).any())
    ]


def paired_interval(before: BoolArray, after: BoolArray, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the difference in accuracy on the same rows; (0, 0) without rows."""
    if not len(before):
        return 0.0, 0.0
    gaps = after.astype(np.float64) - before
    generator = np.random.default_rng(seed)
    drawn = [float(gaps[generator.integers(0, len(gaps), len(gaps))].mean()) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
