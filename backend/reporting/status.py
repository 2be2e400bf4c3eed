"""A project's state in figures: what `/projects/<id>.json` answers. A figure that is not known is None."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from backend.errors import ShortlistError
from backend.pool import batches, candidates, figures, jobs, ledger, rulings, shown, tasks, versions
from backend.pool.projects import Project
from backend.pool.version_names import is_committee, is_trained
from backend.projects.options import paused, project_options
from backend.projects.triggers import next_training
from backend.projects.versions import served_version, teacher_version
from backend.reporting import committee_quality
from backend.reporting.agreement import agreement
from backend.reporting.prompt_preview import system_part
from backend.reporting.teacher_quality import candidate_quality, copying, hint, teacher_versions
from backend.services import Services
from backend.serving import unsure
from backend.training.stopping import ANSWERED, advice
from model.teacher.choice import OFFLINE, title_of

NOTHING: Mapping[str, str] = {}
BIAS = "accuracy compares what was shown with what the person then chose; a ticked answer can sway the person"


def project_status(services: Services, project: Project, problems: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """The figures of one project, as the design document's section on contracts lists them.

    `problems` names students that this web process cannot load, with the reason.
    """
    engine, number = services.engine, project.project
    served, taught = _versions(services, project)
    checked = figures.students(engine, number)
    asked = candidates.figures(engine, number, taught) if taught else None
    return {
        "project": number,
        "title": project.title,
        "phase": phase(services, project) if served else "cold",
        "version": served,
        "problem": project.problem or None,
        "not_loaded": problems.get(served or ""),
        "label_space": list(project.space.names) if project.space else [],
        "tasks": tasks.count(engine, number),
        "with_candidates": asked.answered if asked else 0,
        "human_labels": figures.decided(engine, number),
        "mean_candidates": asked.mean_size if asked else None,
        "teacher": {
            "name": teacher_name(services, project),
            "waiting": _waiting(services, project, served, taught),
            **_teacher(services, project, taught),
        },
        "student": _student(services, project, checked.get(served or "")),
        "shown": {kind: _reactions(found) for kind, found in shown.reactions(engine, number).items()},
        "blind_share": _blind_share(services, project),
        "agreement": agreement(engine, number).to_json(),
        "paused": paused(services, project),
        "next_training": _next_training(services, project),
        "job": _job(jobs.latest(engine, number)),
        "jobs": [_job(row) for _, row in sorted(jobs.get(engine, number).items())],
        "spend": _spend(services, project),
        "versions": _version_rows(services, project, checked),
        "decided_by": committee_quality.decided_by(services, project, served),
        "deciders": committee_quality.deciders(services, project, served),
        "members": committee_quality.members(services, project, served),
        "committee_hint": committee_quality.advice(services, project, served, taught),
        "stopping": _stopping(services, project, checked),
        "note": BIAS,
    }


def teacher_name(services: Services, project: Project) -> str:
    """The teacher as people should hear of it."""
    return title_of(project_options(services.settings, project).TEACHER)


def _versions(services: Services, project: Project) -> tuple[str | None, str | None]:
    """The served version and the teacher's; Nones while label config or options are not usable."""
    try:
        return served_version(services, project), teacher_version(services, project)
    except ShortlistError:
        return None, None


def _teacher(services: Services, project: Project, version: str | None) -> dict[str, Any]:
    """The teacher against people, per version; why it stopped; what it is told; what is at a batch service."""
    engine, number = services.engine, project.project
    found = teacher_versions(services, project, version) if version else []
    now = found[0] if found else None
    away = [row for row in batches.unfinished(engine, number) if row.state == "open"]
    return {
        "coverage": now.coverage if now else None,
        "top1_accuracy": now.top1_accuracy if now else None,
        "human_checked": now.human_checked if now else 0,
        "blind": _blind_teacher(services, project, version),
        "version": version,
        "versions": [one.to_json() for one in found],
        "sets": candidate_quality(services, project, version) if version else None,
        "hint": hint(found) or copying(services, project, found),
        "stopped": _stopped(jobs.get(engine, number).get("annotate")),
        "batches": [{"tasks": len(row.tasks), "submitted": iso(row.created_ms)} for row in away],
        "prompt": system_part(services, project) if version else None,
    }


def _waiting(services: Services, project: Project, served: str | None, taught: str | None) -> int:
    """How many tasks the teacher has yet to be asked about: all, or those that a committee's votes leave open."""
    engine, number = services.engine, project.project
    if served and taught and is_committee(served):
        return rulings.unasked(engine, number, served, taught)
    asked = candidates.figures(engine, number, taught).count if taught else 0
    return max(0, tasks.count(engine, number) - asked)


def _stopped(row: jobs.JobRow | None) -> str | None:
    """Why the teacher gave up: wrong key, no money, an outage. None while nothing is wrong."""
    return row.error if row is not None and row.state == "failed" else None


def _student(services: Services, project: Project, checked: figures.Checked | None) -> dict[str, Any]:
    """The served student against people; on blind tasks all students count, because these are few."""
    blind = shown.blind_student(services.engine, project.project, _blind_share(services, project))
    row = versions.get(services.engine, project.project, project.served) if project.served else None
    return {
        **_accuracy(checked),
        "blind": _accuracy(blind),
        "calibration": unsure.promise(row.metrics) if row else None,
    }


def _accuracy(checked: figures.Checked | None) -> dict[str, Any]:
    return {"accuracy": checked.accuracy if checked else None, "human_checked": checked.tasks if checked else 0}


def _blind_teacher(services: Services, project: Project, version: str | None) -> dict[str, Any]:
    share = _blind_share(services, project)
    found = shown.blind_teacher(services.engine, project.project, version, share) if version else figures.Checked()
    top1 = {"top1_accuracy": found.accuracy, "human_checked": found.tasks}
    return {"coverage": found.coverage, **top1}


def _blind_share(services: Services, project: Project) -> float:
    try:
        return project_options(services.settings, project).BLIND_SHARE
    except ShortlistError:
        return 0.0


def _reactions(found: shown.Reactions) -> dict[str, Any]:
    """Shares of what was shown; `tasks` is their number."""
    names = ("accepted", "narrowed", "extended", "corrected")
    return {"tasks": found.tasks, **{name: found.share(getattr(found, name)) for name in names}}


def _next_training(services: Services, project: Project) -> str:
    """One sentence: when the next training starts, or why none does."""
    try:
        return next_training(services, project).explanation
    except ShortlistError as error:
        return str(error)


def _job(row: jobs.JobRow | None) -> dict[str, Any]:
    if row is None:
        return {"kind": None, "state": "idle", "progress": None, "error": None, "step": ""}
    return {"kind": row.kind, "state": row.state, "progress": row.progress, "error": row.error, "step": row.step}


def _spend(services: Services, project: Project) -> dict[str, Any]:
    total = ledger.totals(services.engine, project.project)
    budget = project_options(services.settings, project).BUDGET_USD
    return {
        "calls": total.calls,
        "input_tokens": total.input_tokens,
        "cached_tokens": total.cached_tokens,  # part of them: read from the provider's prompt cache
        "output_tokens": total.output_tokens,
        "usd": total.microusd / 1_000_000,
        "lost_usd": total.lost_microusd / 1_000_000,  # part of it: calls of killed processes, at their upper bound
        "batch_calls": total.batch_calls,  # parts of calls and of usd: through a batch API
        "batch_usd": total.batch_microusd / 1_000_000,
        "set_aside_usd": total.unsettled_microusd / 1_000_000,  # in addition: what is under way can cost at most
        "budget_usd": budget,
    }


def _version_rows(services: Services, project: Project, checked: dict[str, figures.Checked]) -> list[dict[str, Any]]:
    return [
        {
            "version": row.version,
            "created": iso(row.created_ms),
            **_accuracy(checked.get(row.version)),
            "promoted": row.version == project.served,
            "state": row.state,
            "reason": row.reason,
            "human_labels": row.human_labels,
        }
        for row in versions.list_versions(services.engine, project.project)
    ]


def _stopping(services: Services, project: Project, checked: dict[str, figures.Checked]) -> dict[str, Any]:
    """Whether more human labels, and more LLM calls, still pay."""
    rows = versions.list_versions(services.engine, project.project)
    rows = [row for row in rows if row.space_hash == project.space_hash and row.state in ANSWERED]
    paid = project_options(services.settings, project).TEACHER not in OFFLINE
    return {"people": advice(rows, checked, "people"), "teacher": advice(rows, checked, "teacher", paid)}


def iso(milliseconds: int) -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def phase(services: Services, project: Project) -> Literal["cold", "teacher", "student"]:
    """Which kind of answer the project gives now."""
    if project.space is None:
        return "cold"
    version = served_version(services, project)
    if is_trained(version):
        return "student"
    return "teacher" if candidates.figures(services.engine, project.project, version).count else "cold"
