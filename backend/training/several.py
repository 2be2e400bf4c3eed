"""Judge a fresh student whose answers are sets of labels: on human labels that it never saw.

An answer counts by its Jaccard index with the person's: whole sets are so rarely equal that counting these alone would
tell two students apart only with very many labels. A level counts by how near it is. Shortlists of a stated coverage
are for one right label.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import structlog

from backend.pool.version_names import is_trained
from backend.projects.job import Job
from backend.training import promotion
from backend.training.promotion import CRITICAL, ENOUGH, KEPT, LEAST_SAMPLE, Reference, Said, Verdict, distance, greater
from backend.training.snapshot import Snapshot
from model import group_answers
from model.errors import ArtifactError
from model.group_answers import answer_of, limited
from model.groups import Group
from model.labels import LabelSpace
from model.set_evaluation import jaccard, set_report

if TYPE_CHECKING:
    from model.arrays import Embed
    from model.calibration import Calibration
    from model.student.student import Student

log = structlog.get_logger(__name__)

SAMPLE = 1_000  # tasks of the pool that a new version is asked about
ERROR = 0.05  # chance of rejecting a student that is worse on no question
LEAST_SHARE = 0.2  # of the labels per task that the teacher is certain of, below which a student has collapsed
NOTE = "an answer is a set of labels, ticked by thresholds; shortlists of a stated coverage are for one label"


def judged(
    job: Job, snapshot: Snapshot, student: Student, truth: Mapping[int, Sequence[str]], embed: Embed
) -> tuple[Verdict, Calibration, dict[str, Any]]:
    """The verdict, that no shortlist is promised, and the figures that the version keeps.

    `truth` are the held-out human answers, sets that may be empty. Of several questions none may get worse.
    """
    from model.calibration import Calibration

    space, asked = snapshot.space, _sample(snapshot)
    new, served = answered(student, snapshot, truth, embed), _served(job, snapshot, truth, embed)
    said = answered(student, snapshot, asked, embed)
    taught = {task: answer_of(space, snapshot.sets[task]) for task in asked}
    verdict, left = judge_all(space, own_groups(student), truth, new, served, said, taught)
    leave_open(student, left)
    kept = own_groups(student)
    pairs = [_compared(space, kept, new[task], labels) for task, labels in truth.items()]
    report = set_report([left for left, _ in pairs], [right for _, right in pairs]).to_json()
    figures = {name: report[name] for name in ("jaccard", "micro_f1", "macro_f1")}
    exact = sum(set(left) == set(right) for left, right in pairs)
    found = Calibration(1.0, job.current.options.COVERAGE, len(truth), None, (), NOTE)
    held_out = {"held_out": len(truth), "held_out_accuracy": exact / len(truth) if truth else None}
    return verdict, found, {**held_out, **figures, "calibration": found.to_json()}


def _compared(
    space: LabelSpace, groups: Sequence[Group], said: Sequence[str], labels: Sequence[str]
) -> tuple[Sequence[str], Sequence[str]]:
    """(answered, decided), of several questions those that the student answers and people did; of one question all."""
    if not space.questions:
        return said, labels
    both = [group for group in group_answers.answered(space, labels) if group in groups]
    return limited(space, said, both), limited(space, labels, both)


def own_groups(student: Student) -> list[Group]:
    """The questions that a student answers itself."""
    from model.decoding import left_open

    return [group for group in student.space.groups if not left_open(group, student.thresholds)]


def leave_open(student: Student, groups: Sequence[Group]) -> None:
    """Leave questions to the teacher."""
    from model.decoding import NEVER

    for group in groups:
        assert student.thresholds is not None, "a student of several questions has them"
        student.thresholds[group.columns] = NEVER


@dataclass(frozen=True)
class Served:
    """What is served now, and what it says of the held-out tasks. `own` are where the questions begin that a student
    answers in it; the teacher answers the others."""

    name: str
    answers: Mapping[int, Sequence[str]]
    own: frozenset[int] = frozenset()


def judge_all(
    space: LabelSpace,
    groups: Sequence[Group],
    truth: Mapping[int, Sequence[str]],
    new: Mapping[int, Sequence[str]],
    served: Served | None,
    said: Mapping[int, Sequence[str]],
    taught: Mapping[int, Sequence[str]],
) -> tuple[Verdict, list[Group]]:
    """As `judge` and `collapse`, for each of several questions; and the questions to be left to the teacher.

    One on which a student that is served does better rejects all. One on which the teacher, who is served there, does
    better, or whose answers have collapsed, stays with the teacher, and so does what hangs on it.
    """
    before = (served.name, served.answers) if served is not None else None
    if not space.questions:
        fallen = collapse(said, taught)
        return Verdict(False, f"rejected as collapsed: {fallen}") if fallen else judge(truth, new, before), []
    critical = NormalDist().inv_cdf(1.0 - ERROR / len(groups))
    reasons, left, worse = dict[str, list[str]](), list[Group](), False
    for group in groups:
        right, ours = _only(space, group, truth), _only(space, group, new, everywhere=True)
        theirs = None if before is None else (before[0], _only(space, group, before[1], everywhere=True))
        fallen = _fallen(space, group, said, taught, list(right.values()))
        levels = space.names[group.columns] if group.kind == "ordered" else ()
        verdict = Verdict(False, f"collapsed: {fallen}") if fallen else judge(right, ours, theirs, critical, levels)
        mine = served is not None and group.start in served.own
        stays = not verdict.accepted and not mine
        above = {space.group_of[label].start for one in group.when for label in one.labels}
        if stays or above & {one.start for one in left}:
            left.append(group)
        worse |= not verdict.accepted and mine
        stated = f"{'stays with the teacher, ' if group in left else ''}{verdict.reason}"
        reasons.setdefault(stated, []).append(group.name)
    bad = worse or len(left) == len(groups)
    told = "; ".join(f"{', '.join(names)}: {stated}" for stated, names in reasons.items())
    return Verdict(not bad, f"{'rejected' if bad else 'accepted'}: {told}"), [] if bad else left


def _fallen(
    space: LabelSpace,
    group: Group,
    said: Mapping[int, Sequence[str]],
    taught: Mapping[int, Sequence[str]],
    people: Sequence[Sequence[str]],
) -> str:
    """What shows that the answers to one question have collapsed, where the teacher answers it; "" if they have not."""
    asked = _only(space, group, taught)
    ours = {task: limited(space, said[task], [group]) for task in asked}
    if group.kind == "any":
        return collapse(ours, asked)
    first = {task: labels[0] for task, labels in ours.items() if labels}
    return promotion.collapse(Said("it", {}, first), Reference(asked, [labels[0] for labels in people]))


def _only(
    space: LabelSpace, group: Group, answers: Mapping[int, Sequence[str]], everywhere: bool = False
) -> dict[int, tuple[str, ...]]:
    """The answers to one question; of people and teacher only those tasks in which it is answered."""
    found = {task: limited(space, labels, [group]) for task, labels in answers.items()}
    return {task: labels for task, labels in found.items() if labels or everywhere}


def judge(
    truth: Mapping[int, Sequence[str]],
    new: Mapping[int, Sequence[str]],
    served: tuple[str, Mapping[int, Sequence[str]]] | None,
    critical: float = CRITICAL,
    levels: Sequence[str] = (),
) -> Verdict:
    """Whether `new` may take the place of what is `served` (its name and answers; None: it cannot be asked).

    Rejected only if its Jaccard index (of `levels`, how near it is) is lower beyond chance: a one-sided paired test at
    5 % (all questions together, whence `critical`), which is the sign test of one label where every answer has one.
    """
    if len(truth) < ENOUGH:
        return Verdict(True, f"accepted without judging: that takes {ENOUGH} {KEPT}, and there are {len(truth)}")
    alike, name = (partial(nearness, levels), "nearness") if levels else (jaccard, "Jaccard index")
    ours = {task: alike(new[task], labels) for task, labels in truth.items()}
    figure = f"{name} {_mean(list(ours.values())):.2f} on {len(truth)} {KEPT}"
    both = [task for task in truth if served is not None and task in served[1]]
    if served is None or len(both) < ENOUGH:
        return Verdict(True, f"accepted: {figure}; nothing served to compare with")
    theirs = {task: alike(served[1][task], truth[task]) for task in both}
    comparison = f"{figure}, {served[0]} {_mean(list(theirs.values())):.2f} on {len(both)}"
    if greater([-ours[task] for task in both], [-theirs[task] for task in both], critical):
        return Verdict(False, f"rejected as worse than what is served: {comparison}")
    return Verdict(True, f"accepted: {comparison}")


def nearness(levels: Sequence[str], said: Sequence[str], true: Sequence[str]) -> float:
    """1 for the right one of some levels, 0 for the farthest there is, or for none."""
    return 1.0 - distance(levels, said[0], true[0]) / (len(levels) - 1) if said else 0.0


def collapse(said: Mapping[int, Sequence[str]], taught: Mapping[int, Sequence[str]]) -> str:
    """What shows that a version ticks next to nothing, or everything alike; "" if it does not."""
    if len(said) < LEAST_SAMPLE:
        return ""
    mine, usual = (_mean([len(labels) for labels in one.values()]) for one in (said, taught))
    if mine < LEAST_SHARE * usual:
        return f"it ticks {mine:.2f} labels a task, where the teacher is certain of {usual:.2f}"
    kinds, theirs = (len({frozenset(labels) for labels in one.values()}) for one in (said, taught))
    return f"it gives the same answer to all of {len(said)} tasks" if kinds == 1 < theirs else ""


def answered(student: Student, snapshot: Snapshot, ids: Collection[int], embed: Embed) -> dict[int, tuple[str, ...]]:
    """What a student ticks for each of these tasks."""
    from model.decoding import ticked

    if not ids:
        return {}
    rows = ticked(
        student.space, student.probabilities([snapshot.texts[task] for task in ids], embed), student.thresholds
    )
    names = student.space.names
    return {task: tuple(names[at] for at in row.nonzero()[0]) for task, row in zip(ids, rows, strict=True)}


def _sample(snapshot: Snapshot) -> list[int]:
    """Tasks that the teacher answered, evenly spread."""
    asked = sorted(task for task in snapshot.sets if task in snapshot.texts)
    return asked[:: max(1, -(-len(asked) // SAMPLE))]


def _served(job: Job, snapshot: Snapshot, truth: Collection[int], embed: Embed) -> Served | None:
    """What is served now and what it says: the promoted student, or what the teacher would tick; of the questions that
    a student leaves open the teacher's answers."""
    from model.loading import load_version

    version, space = job.current.served_version, snapshot.space
    taught = {task: answer_of(space, snapshot.sets[task]) for task in truth if task in snapshot.sets}
    if not is_trained(version):
        return Served("the teacher", taught)
    try:
        student = load_version(job.services.registry.fetch(job.number, version))
    except ArtifactError as error:
        log.error("the served version cannot be compared with", version=version, reason=str(error))
        return None
    own, said = own_groups(student), answered(student, snapshot, truth, embed)
    rest = [group for group in space.groups if group not in own]
    both = {task: (*labels, *limited(space, taught.get(task, ()), rest)) for task, labels in said.items()}
    return Served(version, both, frozenset(group.start for group in own))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
