"""How good answers are where they are sets of labels, against what people decided: all together and by question; and
how near they are, where labels are levels in order or places in a tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.errors import ShortlistError
from backend.pool import figures
from backend.pool.figures import Pair
from backend.projects.current import Current
from backend.reporting.confusions import MOST_TABLE, Confusions
from model.evaluation import rate
from model.groups import Group, parted
from model.labels import LabelSpace
from model.set_evaluation import SetReport, hierarchical_f1, ordered_figures, set_report

Pairs = Sequence[tuple[Sequence[str], Sequence[str]]]  # (decided, answered)
Paths = Mapping[str, Mapping[str, tuple[str, ...]]]


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
    sides = _both_sides(current, version)
    paths = _paths(current)
    return {
        group.name: {"kind": group.kind, **{side: _of_group(space, group, paths, rows) for side, rows in sides.items()}}
        for group in space.groups
    }


def _of_group(space: LabelSpace, group: Group, paths: Paths, pairs: Pairs) -> dict[str, Any]:
    """The figures of one question, on the tasks in which people answered it, labels by their bare names."""
    names = space.names[group.columns]
    own = [tuple([label for label in side if label in names] for side in pair) for pair in pairs]
    here = [tuple([parted(label)[1] for label in side] for side in pair) for pair in own if pair[0]]
    bare = [(decided, said) for decided, said in here]
    return {**_report(bare).to_json(), **_near(group, [parted(name)[1] for name in names], paths, bare)}


def near(current: Current, version: str | None) -> dict[str, Any] | None:
    """How near teacher and students are to people where there is one question, about levels or places in a tree."""
    space = current.project.space
    if space is None or space.questions:
        return None
    (group,), paths = space.groups, _paths(current)
    if group.kind != "ordered" and not paths:
        return None
    both = _both_sides(current, version)
    return {side: {"tasks": len(rows), **_near(group, space.names, paths, rows)} for side, rows in both.items()}


def _paths(current: Current) -> Paths:
    """By question ("" where there is one) the ways from the root of a tree to its labels; {} without trees, and while
    label config or options are not usable."""
    try:
        control = current.control
    except ShortlistError:
        return {}
    several = len(control.questions) > 1
    return {one.name if several else "": one.paths for one in control.questions if one.paths}


def _both_sides(current: Current, version: str | None) -> dict[str, Pairs]:
    """What the teacher and students answered to what people decided: sets, or single labels as sets."""
    engine, number = current.engine, current.number
    if current.space.several:
        seen = figures.teacher_sets(engine, number, version).values() if version else ()
        return {"teacher": [(one.decided, one.certain or ()) for one in seen], "student": _of_students(current)}
    taught = figures.of_teacher(engine, number, version) if version else []
    return {"teacher": _firsts(taught), "student": _firsts(figures.of_students(engine, number))}


def _firsts(pairs: Sequence[Pair]) -> Pairs:
    return [((pair.label,), pair.predicted[:1]) for pair in pairs]


def _near(group: Group, names: Sequence[str], paths: Paths, pairs: Pairs) -> dict[str, float | None]:
    """How near answers to one question are, labels by their bare names; {} where labels are as far from each other."""
    if group.name in paths:
        tree = paths[group.name]
        nodes = [[[tree.get(label, (label,)) for label in side] for side in pair] for pair in pairs]
        return {"hierarchical_f1": hierarchical_f1([said for _, said in nodes], [decided for decided, _ in nodes])}
    if group.kind != "ordered":
        return {}
    both = [(names.index(said[0]), names.index(decided[0])) for decided, said in pairs if said]
    return ordered_figures([said for said, _ in both], [decided for _, decided in both], len(group))


def _of_students(current: Current) -> Pairs:
    return list(figures.sets_of_students(current.engine, current.number))


def _report(pairs: Pairs) -> SetReport:
    return set_report([said for _, said in pairs], [decided for decided, _ in pairs])


def as_confusions(found: SetReport, names: tuple[str, ...]) -> Confusions:
    """For page and report: figures per label. Labels are not mixed up where each is a question of its own."""
    shown = sorted(found.labels, key=lambda name: (-found.labels[name].gold, name))[:MOST_TABLE]
    labels = {name: found.labels[name] for name in shown}
    return Confusions(found.exact, None, found.macro_f1, (), labels, names, None)
