"""A project's state in figures: what `/projects/<id>.json` answers. A figure that is not known is None."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from backend.errors import ShortlistError
from backend.pool import batches, candidates, figures, jobs, ledger, rulings, shown, tasks, versions
from backend.pool.projects import Project
from backend.pool.version_names import is_committee, is_trained
from backend.projects.current import Current
from backend.projects.on_screen import is_ours
from backend.projects.triggers import next_training
from backend.reporting import committee_quality
from backend.reporting.agreement import agreement
from backend.reporting.prompt_preview import system_part
from backend.reporting.teacher_quality import candidate_quality, copying, hint, teacher_versions
from backend.serving import unsure
from backend.training.stopping import ANSWERED, advice
from model.teacher.choice import OFFLINE, title_of

NOTHING: Mapping[str, str] = {}
BIAS = "accuracy compares what was shown with what the person then chose; a ticked answer can sway the person"


def project_status(current: Current, problems: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """The figures of one project, as the design document's section on contracts lists them.

    `problems` names students that this web process cannot load, with the reason.
    """
    engine, number = current.engine, current.number
    served, taught = _versions(current)
    checked = figures.students(engine, number)
    asked = candidates.figures(engine, number, taught) if taught else None
    return {
        "project": number,
        "title": current.project.title,
        "label_studio": _whereabouts(current.project),
        "phase": phase(current) if served else "cold",
        "version": served,
        **_at_label_studio(current, served),
        "problem": current.project.problem or None,
        "not_loaded": problems.get(served or ""),
        "label_space": list(current.project.space.names) if current.project.space else [],
        "tasks": tasks.count(engine, number),
        **_asked(asked or candidates.Figures()),
        "human_labels": figures.decided(engine, number),
        "mean_candidates": asked.mean_size if asked else None,
        "teacher": {
            "name": teacher_name(current),
            "waiting": _waiting(current, served, taught),
            **_teacher(current, taught),
        },
        "student": _student(current, checked.get(served or "")),
        "shown": {kind: _reactions(found) for kind, found in shown.reactions(engine, number).items()},
        "blind_share": _blind_share(current),
        "agreement": agreement(engine, number).to_json(),
        "paused": current.paused,
        "next_training": _next_training(current),
        "job": _job(jobs.latest(engine, number)),
        "jobs": [_job(row) for _, row in sorted(jobs.get(engine, number).items())],
        "spend": _spend(current),
        "versions": _version_rows(current, checked),
        "decided_by": committee_quality.decided_by(current, served),
        "deciders": committee_quality.deciders(current, served),
        "members": committee_quality.members(current, served),
        "committee_hint": committee_quality.advice(current, served, taught),
        "stopping": _stopping(current, checked),
        "note": BIAS,
    }


def _at_label_studio(current: Current, served: str | None) -> dict[str, Any]:
    """What its project shows, as it said last, and what it has that cannot be used."""
    ours = is_ours(current, served) if served else None
    return {"on_screen": current.project.on_screen, "shows_ours": ours, "left_out": left_out(current)}


def left_out(current: Current) -> dict[str, Any]:
    """What cannot be used: tasks without text, and annotations with labels that the label config does not have."""
    space = current.project.space
    found = figures.unknown_labels(current.engine, current.number, space.names if space else ())
    return {
        "tasks": len(tasks.textless(current.engine, current.number)),
        "annotations": found.annotations,
        "labels": found.labels,
    }


def _whereabouts(project: Project) -> dict[str, Any]:
    return {"project": project.label_studio_id, "address": project.instance or None, "elsewhere": project.elsewhere}


def _asked(found: candidates.Figures) -> dict[str, Any]:
    """What came of the questions to the present teacher version, in tasks."""
    answered = {"tasks": found.count, "answered": found.answered, "abstained": found.abstained}
    asked = {**answered, "refused": found.refused, "unreadable": found.unparsed}
    return {"with_candidates": found.answered, "asked": asked}


def teacher_name(current: Current) -> str:
    """The teacher as people should hear of it."""
    return title_of(current.options.TEACHER)


def _versions(current: Current) -> tuple[str | None, str | None]:
    """The served version and the teacher's; Nones while label config or options are not usable."""
    try:
        return current.served_version, current.teacher_version
    except ShortlistError:
        return None, None


def _teacher(current: Current, version: str | None) -> dict[str, Any]:
    """The teacher against people, per version; why it stopped; what it is told; what is at a batch service."""
    engine, number = current.engine, current.number
    found = teacher_versions(current, version) if version else []
    now = found[0] if found else None
    away = [row for row in batches.unfinished(engine, number) if row.state == "open"]
    return {
        "coverage": now.coverage if now else None,
        "top1_accuracy": now.top1_accuracy if now else None,
        "human_checked": now.human_checked if now else 0,
        "blind": _blind_teacher(current, version),
        "version": version,
        "versions": [one.to_json() for one in found],
        "sets": candidate_quality(current, version) if version else None,
        "hint": hint(found) or copying(current, found),
        "stopped": _stopped(jobs.get(engine, number).get("annotate")),
        "batches": [{"tasks": len(row.tasks), "submitted": iso(row.created_ms)} for row in away],
        "prompt": system_part(current) if version else None,
    }


def _waiting(current: Current, served: str | None, taught: str | None) -> int:
    """How many tasks the teacher has yet to be asked about: all, or those that a committee's votes leave open."""
    engine, number = current.engine, current.number
    if served and taught and is_committee(served):
        return rulings.unasked(engine, number, served, taught)
    asked = candidates.figures(engine, number, taught).count if taught else 0
    return max(0, tasks.count(engine, number) - asked)


def _stopped(row: jobs.JobRow | None) -> str | None:
    """Why the teacher gave up: wrong key, no money, an outage. None while nothing is wrong."""
    return row.error if row is not None and row.state == "failed" else None


def _student(current: Current, checked: figures.Checked | None) -> dict[str, Any]:
    """The served student against people; on blind tasks all students count, because these are few."""
    blind = shown.blind_student(current.engine, current.number, _blind_share(current))
    row = versions.get(current.engine, current.number, current.project.served) if current.project.served else None
    return {
        **_accuracy(checked),
        "blind": _accuracy(blind),
        "calibration": unsure.promise(row.metrics) if row else None,
    }


def _accuracy(checked: figures.Checked | None) -> dict[str, Any]:
    return {"accuracy": checked.accuracy if checked else None, "human_checked": checked.tasks if checked else 0}


def _blind_teacher(current: Current, version: str | None) -> dict[str, Any]:
    share = _blind_share(current)
    found = shown.blind_teacher(current.engine, current.number, version, share) if version else figures.Checked()
    top1 = {"top1_accuracy": found.accuracy, "human_checked": found.tasks}
    return {"coverage": found.coverage, **top1}


def _blind_share(current: Current) -> float:
    try:
        return current.options.BLIND_SHARE
    except ShortlistError:
        return 0.0


def _reactions(found: shown.Reactions) -> dict[str, Any]:
    """Shares of what was shown; `tasks` is their number."""
    names = ("accepted", "narrowed", "extended", "corrected")
    return {"tasks": found.tasks, **{name: found.share(getattr(found, name)) for name in names}}


def _next_training(current: Current) -> str:
    """One sentence: when the next training starts, or why none does."""
    try:
        return next_training(current).explanation
    except ShortlistError as error:
        return str(error)


def _job(row: jobs.JobRow | None) -> dict[str, Any]:
    if row is None:
        return {"kind": None, "state": "idle", "progress": None, "error": None, "step": ""}
    return {"kind": row.kind, "state": row.state, "progress": row.progress, "error": row.error, "step": row.step}


def _spend(current: Current) -> dict[str, Any]:
    total = ledger.totals(current.engine, current.number)
    budget = current.options.BUDGET_USD
    return {
        "calls": total.calls,
        "input_tokens": total.input_tokens,
        "cached_tokens": total.cached_tokens,  # part of them: read from the provider's prompt cache
        "output_tokens": total.output_tokens,
        "usd": total.microusd / 1_000_000,
        "lost_usd": total.lost_microusd / 1_000_000,  # part of it: calls of killed processes, at their upper bound
        "batch_calls": total.batch_calls,  # parts of calls and of usd: through a batch API
        "batch_usd": total.batch_microusd / 1_000_000,
        "carried_usd": total.carried_microusd / 1_000_000,  # in addition: by former projects with its number
        "set_aside_usd": total.unsettled_microusd / 1_000_000,  # in addition: what is under way can cost at most
        "budget_usd": budget,
    }


def _version_rows(current: Current, checked: dict[str, figures.Checked]) -> list[dict[str, Any]]:
    return [
        {
            "version": row.version,
            "created": iso(row.created_ms),
            **_accuracy(checked.get(row.version)),
            "promoted": row.version == current.project.served,
            "state": row.state,
            "reason": row.reason,
            "human_labels": row.human_labels,
        }
        for row in versions.list_versions(current.engine, current.number)
    ]


def _stopping(current: Current, checked: dict[str, figures.Checked]) -> dict[str, Any]:
    """Whether more human labels, and more LLM calls, still pay."""
    rows = versions.list_versions(current.engine, current.number)
    rows = [row for row in rows if row.space_hash == current.project.space_hash and row.state in ANSWERED]
    paid = current.options.TEACHER not in OFFLINE
    return {"people": advice(rows, checked, "people"), "teacher": advice(rows, checked, "teacher", paid)}


def iso(milliseconds: int) -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def phase(current: Current) -> Literal["cold", "teacher", "student"]:
    """Which kind of answer the project gives now."""
    if current.project.space is None:
        return "cold"
    version = current.served_version
    if is_trained(version):
        return "student"
    return "teacher" if candidates.figures(current.engine, current.number, version).answered else "cold"
