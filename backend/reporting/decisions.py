"""What a project's status says that is read from all that people decided."""

from __future__ import annotations

from typing import Any

from backend.errors import ShortlistError
from backend.pool import figures, shown, tasks
from backend.projects import ticks
from backend.projects.current import Current
from backend.projects.frequencies import unsaid
from backend.reporting import committee_quality
from backend.reporting.agreement import agreement
from backend.reporting.prompt_preview import system_part
from backend.reporting.set_quality import near, set_quality
from backend.reporting.teacher_quality import candidate_quality, copying, hint, teacher_versions


def of_decisions(current: Current, served: str | None, taught: str | None) -> dict[str, Any]:
    """What is read from all that people decided; it is kept until one of these rows changes. With thousands of them it
    may be some seconds late."""
    engine, number = current.engine, current.number
    checked = figures.students(engine, number)
    return {
        "checked": checked,
        "answers": _answers(current, taught),
        "left_out": unusable(current),
        "teacher": _teacher(current, taught),
        "student": _student(current, checked.get(served or "")),
        "people": {
            "frequencies_hint": next(iter(unsaid(current)), None) if served else None,
            "shown": {kind: _reactions(found) for kind, found in shown.reactions(engine, number).items()},
            "agreement": agreement(engine, number, current.project.space).to_json(),
        },
        "committee": {
            "decided_by": committee_quality.decided_by(current, served),
            "deciders": committee_quality.deciders(current, served),
            "members": committee_quality.members(current, served),
            "committee_hint": committee_quality.advice(current, served, taught),
        },
    }


def _answers(current: Current, taught: str | None) -> dict[str, Any]:
    """The labels, what an answer is, and figures of answers with several labels."""
    names = list(current.project.space.names) if current.project.space else []
    sets = {"sets": set_quality(current, taught), "near": near(current, taught)}
    return {"label_space": names, "answer": ticks.on_page(current), **sets}


def unusable(current: Current) -> dict[str, Any]:
    space = current.project.space
    found = figures.unknown_labels(current.engine, current.number, space.names if space else ())
    return {
        "tasks": len(tasks.textless(current.engine, current.number)),
        "annotations": found.annotations,
        "labels": found.labels,
    }


def _teacher(current: Current, version: str | None) -> dict[str, Any]:
    """The teacher against people, per version, and what it is told."""
    found = teacher_versions(current, version) if version else []
    now = found[0] if found else None
    return {
        "coverage": now.coverage if now else None,
        "top1_accuracy": now.top1_accuracy if now else None,
        "human_checked": now.human_checked if now else 0,
        "blind": _blind_teacher(current, version),
        "version": version,
        "versions": [one.to_json() for one in found],
        "sets": candidate_quality(current, version) if version else None,
        "hint": hint(found) or copying(current, found),
        "prompt": system_part(current) if version else None,
    }


def _student(current: Current, checked: figures.Checked | None) -> dict[str, Any]:
    """The served student against people; on blind tasks all students count, because these are few."""
    blind = shown.blind_student(current.engine, current.number, blind_share(current))
    return {**accuracy(checked), "blind": accuracy(blind)}


def accuracy(checked: figures.Checked | None) -> dict[str, Any]:
    return {"accuracy": checked.accuracy if checked else None, "human_checked": checked.tasks if checked else 0}


def _blind_teacher(current: Current, version: str | None) -> dict[str, Any]:
    share = blind_share(current)
    found = shown.blind_teacher(current.engine, current.number, version, share) if version else figures.Checked()
    top1 = {"top1_accuracy": found.accuracy, "human_checked": found.tasks}
    return {"coverage": found.coverage, **top1}


def blind_share(current: Current) -> float:
    try:
        return current.blind_share
    except ShortlistError:
        return 0.0


def _reactions(found: shown.Reactions) -> dict[str, Any]:
    """Shares of what was shown; `tasks` is their number."""
    names = ("accepted", "narrowed", "extended", "corrected")
    return {"tasks": found.tasks, **{name: found.share(getattr(found, name)) for name in names}}
