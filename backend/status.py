"""A project's state in figures: what `/projects/<id>.json` answers. A figure that is not known is None."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backend.errors import ShortlistError
from backend.policy import phase
from backend.pool import candidates, figures, jobs, ledger, tasks, versions
from backend.pool.projects import Project
from backend.services import Services, project_options, served_version, teacher_version

OFFLINE = "offline similarity teacher (no LLM)"
BIAS = "accuracy compares what was shown with what the person then chose; a ticked answer can sway the person"


def project_status(services: Services, project: Project) -> dict[str, Any]:
    """The figures of one project, as the design document's section on contracts lists them."""
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
        "label_space": list(project.space.names) if project.space else [],
        "tasks": tasks.count(engine, number),
        "with_candidates": asked.answered if asked else 0,
        "human_labels": figures.decided(engine, number),
        "mean_candidates": asked.mean_size if asked else None,
        "teacher": {"name": teacher_name(services, project), **_teacher(services, number, taught)},
        "student": _student(checked.get(served or "")),
        "job": _job(jobs.latest(engine, number)),
        "spend": _spend(services, project),
        "versions": _version_rows(services, project, checked),
        "note": BIAS,
    }


def teacher_name(services: Services, project: Project) -> str:
    """The teacher as people should hear of it."""
    name = project_options(services.settings, project).TEACHER
    return OFFLINE if name in ("auto", "similarity") else f"LLM teacher {name}"


def _versions(services: Services, project: Project) -> tuple[str | None, str | None]:
    """The served version and the teacher's; Nones while label config or options are not usable."""
    try:
        return served_version(services, project), teacher_version(services, project)
    except ShortlistError:
        return None, None


def _teacher(services: Services, project: int, version: str | None) -> dict[str, Any]:
    checked = figures.teacher(services.engine, project, version) if version else figures.Checked(0, 0, 0)
    return {"coverage": checked.coverage, "top1_accuracy": checked.accuracy, "human_checked": checked.tasks}


def _student(checked: figures.Checked | None) -> dict[str, Any]:
    return {"accuracy": checked.accuracy if checked else None, "human_checked": checked.tasks if checked else 0}


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
        "output_tokens": total.output_tokens,
        "usd": total.microusd / 1_000_000,
        "budget_usd": budget,
    }


def _version_rows(services: Services, project: Project, checked: dict[str, figures.Checked]) -> list[dict[str, Any]]:
    return [
        {
            "version": row.version,
            "created": iso(row.created_ms),
            "accuracy": checked[row.version].accuracy if row.version in checked else None,
            "promoted": row.version == project.served,
            "state": row.state,
            "reason": row.reason,
            "human_labels": row.human_labels,
        }
        for row in versions.list_versions(services.engine, project.project)
    ]


def iso(milliseconds: int) -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
