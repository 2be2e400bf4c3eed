"""Which way of asking serves this project best? Candidate sets of every teacher version against people's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from backend.pool import candidates, figures, label_spaces, teachers, version_names
from backend.projects.current import Current
from model.evaluation import candidate_report, f1
from model.teacher.choice import OFFLINE

ENOUGH = 50  # checked tasks below which versions are not compared
CLEARLY = 0.02  # of F1
ALONE = 1.05  # labels per set, up to which a set is no shortlist
MOST_VERSIONS = 8


@dataclass(frozen=True)
class VersionQuality:
    """A teacher version against people: F1 is the harmonic mean of coverage and the share of labels ruled out."""

    version: str
    strategy: str | None  # PROMPT, where it is known
    tasks: int
    mean_candidates: float | None
    coverage: float | None
    top1_accuracy: float | None
    human_checked: int
    f1: float | None

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def teacher_versions(current: Current, version: str) -> list[VersionQuality]:
    """Every teacher version that was asked about the project's present labels, the current one first."""
    space = current.space
    asked = [
        one
        for one in label_spaces.asked_versions(current.engine, current.number)
        if version_names.is_of_space(one, space.hash)
    ]
    known = teachers.of_project(current.engine, current.number)
    names = {**{one: row.strategy for one, row in known.items()}, **_strategies(current)}
    chosen = [version, *(one for one in asked if one != version)][:MOST_VERSIONS]
    return [_quality(current.engine, current.number, one, names.get(one), len(space)) for one in chosen]


def hint(found: Sequence[VersionQuality]) -> str | None:
    """A sentence if another version did clearly better than the current one, else None."""
    if not found or found[0].f1 is None or found[0].human_checked < ENOUGH:
        return None
    others = [one for one in found[1:] if one.f1 is not None and one.human_checked >= ENOUGH]
    best = max(others, key=lambda one: one.f1 or 0.0, default=None)
    if best is None or (best.f1 or 0.0) < found[0].f1 + CLEARLY:
        return None
    how = f"PROMPT={best.strategy}" if best.strategy else f"the settings of {best.version}"
    return (
        f"{how} did better: {_figures(best)}; now {_figures(found[0])}. The tasks differ, so take it as a hint; its "
        "answers are kept, going back costs nothing for them"
    )


def copying(current: Current, found: Sequence[VersionQuality]) -> str | None:
    """A sentence if an LLM that is asked for all possible labels names one each time, as its examples do; else None."""
    options = current.options
    shown = options.PROMPT == "all" and options.EXAMPLES != "none" and options.TEACHER not in OFFLINE
    size = found[0].mean_candidates if found and found[0].tasks >= ENOUGH else None
    if not shown or size is None or size > ALONE:
        return None
    return (
        f"PROMPT=all brings {size:.2f} labels per set: some models copy the form of the examples, which have one label "
        "each. EXAMPLES=none asks without them"
    )


def _figures(one: VersionQuality) -> str:
    size = "?" if one.mean_candidates is None else f"{one.mean_candidates:.1f}"
    return f"coverage {one.coverage:.1%} with {size} labels per set ({one.human_checked} checked tasks)"


def _quality(engine: sa.Engine, project: int, version: str, strategy: str | None, labels: int) -> VersionQuality:
    checked, sets = figures.teacher(engine, project, version), candidates.figures(engine, project, version)
    value = None
    if checked.coverage is not None and sets.mean_size is not None and labels > 1:
        value = f1(checked.coverage, max(0.0, (labels - sets.mean_size) / (labels - 1)))
    return VersionQuality(
        version, strategy, sets.count, sets.mean_size, checked.coverage, checked.accuracy, checked.tasks, value
    )


def _strategies(current: Current) -> dict[str, str]:
    """The version that each PROMPT would have with all other settings as they are."""
    from model.teacher.choice import is_similarity, teacher_hash

    space = current.space
    options = current.teacher_options
    if is_similarity(options):
        return {}
    ways = ("single", "unsure", "all")
    return {
        version_names.teacher_name(teacher_hash(replace(options, prompt=way), space), space.hash): way for way in ways
    }


def candidate_quality(current: Current, version: str) -> dict[str, Any] | None:
    """The figures of a teacher version on the tasks that people decided; None before there is one.

    `inseparable` are labels that nearly always come together, so that no student can part them; `per_class` is coverage
    by the person's label, with Wilson 95 % intervals.
    """
    if current.project.space is None or current.project.space.several:
        return None
    found = figures.of_teacher(current.engine, current.number, version)
    if not found:
        return None
    report = candidate_report(
        [pair.predicted for pair in found], [pair.label for pair in found], len(current.project.space)
    )
    return report.to_json()
