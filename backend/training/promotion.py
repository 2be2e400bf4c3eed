"""Is a new student good enough to be served? Decided on human labels that no student ever learns from. Pure.

Human labels of a file that is sorted by label say nothing about the pool. Then, and where there are too few of them,
what the versions answer on a sample of the pool decides: a student that uses next to no labels has collapsed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

KEPT = "human labels kept for testing"  # as people read of them
ENOUGH = 20  # held-out human labels below which nothing is judged
CRITICAL = 1.64  # one-sided 5 % point of the normal distribution
LEAST_SAMPLE = 20  # tasks of the pool below which nothing is said about collapse
COLLAPSE = 0.2  # share of the effective labels (beyond the first) that a student must use
TOLERANCE = 0.1  # share of the pool by which a student may agree less with the teacher than what is served


@dataclass(frozen=True)
class Verdict:
    """Whether the new version may be served, and the reason in one sentence."""

    accepted: bool
    reason: str


@dataclass(frozen=True)
class Said:
    """What a version answers, task id -> label: on the held-out tasks, and on a sample of the pool."""

    name: str
    held_out: Mapping[int, str]
    pool: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """What is known of a sample of the pool: the teacher's sets, most likely label first, by task.

    `people` are all human labels; `unlike` says why they are no sample of the pool, "" if they are. `levels` are the
    labels where they are in order: then an answer is the worse, the farther it is off.
    """

    sets: Mapping[int, Sequence[str]] = field(default_factory=dict)
    people: Sequence[str] = ()
    unlike: str = ""
    levels: Sequence[str] = ()

    @property
    def diversity(self) -> float:
        """Labels in effective use: by the teacher, or by people where these are a sample and use fewer."""
        teacher = effective_labels([labels[0] for labels in self.sets.values()])
        if self.unlike or len(self.people) < ENOUGH:
            return teacher
        return min(teacher, effective_labels(self.people))


def effective_labels(labels: Collection[str]) -> float:
    """How many labels are in use: the exponential of the entropy; C for C equally frequent ones."""
    total = len(labels)
    shares = [count / total for count in Counter(labels).values()]
    return math.exp(-math.fsum(share * math.log(share) for share in shares))


def judge(truth: Mapping[int, str], new: Said, served: Said | None, pool: Reference) -> Verdict:
    """Whether `new` may take the place of `served` (None: what is served cannot be asked).

    `truth` holds the held-out human labels. If there are enough of them and they are a sample of the pool, they decide;
    if they are none, agreement with the teacher on the pool does, and the reason says so. A collapsed student is
    rejected, unless what is served collapsed, too, or is right less often on such labels beyond chance: most tasks of
    some pools have one label.
    """
    fallen = collapse(new, pool)
    stuck = collapse(served, pool) if served is not None else ""
    known = [task for task in truth if task in new.held_out]
    decisive = len(known) >= ENOUGH and not pool.unlike
    if fallen and not stuck and not (decisive and _better(truth, new, served)):
        return Verdict(False, f"rejected as collapsed: {fallen}")
    if stuck and not fallen and not decisive:
        return Verdict(True, f"accepted: what is served has collapsed: {stuck}")
    if len(known) < ENOUGH:
        return Verdict(True, f"accepted without judging: that takes {ENOUGH} {KEPT}, and there are {len(known)}")
    return _by_people(truth, known, new, served, pool.levels) if decisive else _by_teacher(new, served, pool)


def collapse(said: Said, pool: Reference) -> str:
    """What shows that a version answers nearly the whole pool with a few labels; "" if it does not."""
    if len(said.pool) < LEAST_SAMPLE or len(pool.sets) < LEAST_SAMPLE:
        return ""
    used, usual = effective_labels(said.pool.values()), pool.diversity
    if used >= 1.0 + COLLAPSE * (usual - 1.0):
        return ""
    label, count = Counter(said.pool.values()).most_common(1)[0]
    return (
        f"{said.name} answers {count / len(said.pool):.0%} of {len(said.pool)} tasks with {label!r} and uses"
        f" {used:.1f} labels in effect, where {usual:.1f} are to be expected"
    )


def _by_people(
    truth: Mapping[int, str], known: Sequence[int], new: Said, served: Said | None, levels: Sequence[str]
) -> Verdict:
    """Rejected only if worse beyond chance: a one-sided sign test on the tasks that exactly one of the two gets right
    (McNemar, 1947, normal approximation, 5 %); of `levels` a paired one on how far the two are off."""
    right = {task for task in known if new.held_out[task] == truth[task]}
    figure = f"right on {len(right)} of {len(known)} {KEPT}"
    both = [task for task in known if served is not None and task in served.held_out]
    if served is None or len(both) < ENOUGH:
        return Verdict(True, f"accepted: {figure}; nothing served to compare with")
    theirs = {task for task in both if served.held_out[task] == truth[task]}
    comparison = f"{figure}, {served.name} on {len(theirs)} of {len(both)}"
    if levels:
        ours, others = (off(levels, said.held_out, truth, both) for said in (new, served))
        comparison += f"; off by {sum(ours) / len(both):.2f} levels, {served.name} by {sum(others) / len(both):.2f}"
        fallen = greater(ours, others)
    else:
        fallen = worse(right & set(both), theirs)
    if fallen:
        return Verdict(False, f"rejected as worse than what is served: {comparison}")
    return Verdict(True, f"accepted: {comparison}")


def _by_teacher(new: Said, served: Said | None, pool: Reference) -> Verdict:
    """Human labels are no sample of the pool: rejected only if far less often within the teacher's sets."""
    both = [task for task in pool.sets if task in new.pool and served is not None and task in served.pool]
    if served is None or len(both) < ENOUGH:
        return Verdict(True, f"accepted: {pool.unlike}, so they judge nothing; it has not collapsed")
    ours, theirs = ({task for task in both if said.pool[task] in pool.sets[task]} for said in (new, served))
    figure = (
        f"{pool.unlike}; on {len(both)} tasks of the pool it agrees with the teacher on"
        f" {len(ours)}, {served.name} on {len(theirs)}"
    )
    if len(theirs) - len(ours) > TOLERANCE * len(both) and worse(ours, theirs):
        return Verdict(False, f"rejected as further from the teacher than what is served: {figure}")
    return Verdict(True, f"accepted: {figure}")


def _better(truth: Mapping[int, str], new: Said, served: Said | None) -> bool:
    if served is None:
        return False
    both = [task for task in truth if task in new.held_out and task in served.held_out]
    ours, theirs = ({task for task in both if said.held_out[task] == truth[task]} for said in (new, served))
    return len(both) >= ENOUGH and worse(theirs, ours)


def worse(ours: set[int], theirs: set[int]) -> bool:
    """Whether the hits `ours` are fewer than `theirs` beyond chance."""
    tasks = ours | theirs
    return greater([task not in ours for task in tasks], [task not in theirs for task in tasks])


def greater(ours: Sequence[float], theirs: Sequence[float], critical: float = CRITICAL) -> bool:
    """Whether the losses `ours` are greater than `theirs` on the same tasks beyond chance: a one-sided paired test."""
    gaps = [mine - other for mine, other in zip(ours, theirs, strict=True)]
    return sum(gaps) > critical * sqrt(sum(gap**2 for gap in gaps))


def off(levels: Sequence[str], said: Mapping[int, str], truth: Mapping[int, str], tasks: Sequence[int]) -> list[float]:
    """How many levels the answers are away from the right ones."""
    return [float(distance(levels, said[task], truth[task])) for task in tasks]


def distance(levels: Sequence[str], said: str, true: str) -> int:
    """How many levels lie between two, the second included."""
    return abs(levels.index(said) - levels.index(true))
