"""How good answers are where they are sets of labels, against what people decided: all together and by question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.pool import figures
from backend.projects.current import Current
from backend.reporting.confusions import MOST_TABLE, Confusions
from model.evaluation import rate
from model.groups import Group, parted
from model.labels import LabelSpace
from model.set_evaluation import SetReport, ordered_figures, set_report

Pairs = list[tuple[Sequence[str], Sequence[str]]]  # (decided, answered)


def student_sets(current: Current) -> SetReport:
    """What students had ticked when people decided, over all versions."""
    return _report(_of_students(current))


def teacher_sets(current: Current, version: str | None) -> tuple[SetReport, float | None]:
    """What the teacher would tick, and the share of tasks of which it names all labels as certain or possible."""
    seen = list(figures.teacher_sets(current.engine, current.number, version).values()) if version else []
    covered = rate(sum(set(one.decided) <= set(one.shown) for one in seen), len(seen))
    return _report([(one.decided, one.certain or ()) for one in seen]), covered.value if covered else None


def set_quality(current: Current, version: str | None) -> dict[str, Any] | None:
    """For the status; None where one label is right. `questions` has the figures of each where there are several."""
    space = current.project.space
    if space is None or not space.several:
        return None
    taught, covered = teacher_sets(current, version)
    found = {"teacher": {**taught.to_json(), "covered": covered}, "student": student_sets(current).to_json()}
    return {**found, "questions": _by_question(current, space, version)} if space.questions else found


def _by_question(current: Current, space: LabelSpace, version: str | None) -> dict[str, Any]:
    """By the name of each question what it takes, and how good teacher and student are at it."""
    seen = figures.teacher_sets(current.engine, current.number, version).values() if version else ()
    sides = {"teacher": [(one.decided, one.certain or ()) for one in seen], "student": _of_students(current)}
    return {
        group.name: {"kind": group.kind, **{side: _of_group(space, group, pairs) for side, pairs in sides.items()}}
        for group in space.groups
    }


def _of_group(space: LabelSpace, group: Group, pairs: Pairs) -> dict[str, Any]:
    """The figures of one question, on the tasks in which people answered it, labels by their bare names."""
    names = space.names[group.columns]
    own = [tuple([label for label in side if label in names] for side in pair) for pair in pairs]
    here = [(decided, said) for decided, said in own if decided]
    found = _report([([parted(one)[1] for one in left], [parted(one)[1] for one in right]) for left, right in here])
    if group.kind != "ordered":
        return found.to_json()
    both = [(names.index(said[0]), names.index(decided[0])) for decided, said in here if said]
    levels = ordered_figures([one for one, _ in both], [one for _, one in both], len(group))
    return {**found.to_json(), **levels}


def _of_students(current: Current) -> Pairs:
    return list(figures.sets_of_students(current.engine, current.number))


def _report(pairs: Pairs) -> SetReport:
    return set_report([said for _, said in pairs], [decided for decided, _ in pairs])


def as_confusions(found: SetReport, names: tuple[str, ...]) -> Confusions:
    """For page and report: figures per label. Labels are not mixed up where each is a question of its own."""
    shown = sorted(found.labels, key=lambda name: (-found.labels[name].gold, name))[:MOST_TABLE]
    labels = {name: found.labels[name] for name in shown}
    return Confusions(found.exact, None, found.macro_f1, (), labels, names, None)
