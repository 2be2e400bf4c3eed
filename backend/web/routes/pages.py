"""Pages for people, and the same figures as JSON."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from functools import partial
from typing import Any

from flask import Blueprint, Response, render_template, request

from backend.label_studio.links import project_link, tasks_link
from backend.pool import incidents, jobs, projects
from backend.pool.projects import Project
from backend.projects.current import current_of
from backend.projects.whereabouts import address
from backend.reporting.page_figures import drawn, insight, next_run
from backend.reporting.status import project_status
from backend.reporting.wording import (
    FILTERS,
    asked_words,
    incident_words,
    job_words,
    left_out_words,
    phase_words,
    what_next,
)
from backend.services import Services
from backend.web.context import answer_json, context, known_project
from backend.web.csrf import form_token, keep_token, may_act
from backend.web.middleware import NONCE

people = Blueprint("people", __name__, template_folder="../pages/templates")
people.after_request(keep_token)


@people.get("/projects")
def all_projects() -> str:
    """Every project with its phase and version."""
    services = context().services
    rows = [project_status(current_of(services, project)) for project in projects.all_projects(services.engine)]
    return _page("projects.html", projects=rows, address=services.settings.backend_url)


@people.get("/projects/<int:number>.json")
def figures(number: int) -> Response:
    """The figures of one project."""
    status = project_status(current_of(context().services, known_project(number)), context().live.problems())
    return answer_json({**status, "incidents": [asdict(row) for row in _incidents(number)]})


@people.get("/projects/<int:number>")
def one_project(number: int) -> str:
    """The page of one project."""
    services, project = context().services, known_project(number)
    return _page("project.html", **_of_project(services, project))


def _of_project(services: Services, project: Project) -> dict[str, Any]:
    """What the page of a project shows."""
    now = current_of(services, project)
    status, found = project_status(now, context().live.problems()), insight(now)
    place = address(services.settings, project)
    rows = jobs.get(services.engine, project.project)
    return {
        "status": status,
        "found": found,
        "phase": phase_words(status),
        "asked": asked_words(status["asked"]),
        "next_steps": what_next(status),
        "left_out": left_out_words(status["left_out"]),
        "incidents": [incident_words(row, services.clock()) for row in _incidents(project.project)],
        "next_run": next_run(status, found),
        "jobs": [job_words(row, services.clock()) for row in rows.values()],
        **drawn(status, found, _nonce()),
        "tasks_link": partial(tasks_link, place, project.label_studio_id),
        "label_studio": project_link(place, project.label_studio_id),
        "done": request.args.get("done", "")[:300],
        "problem": request.args.get("problem", "")[:300],
        "running": any(row.state in ("running", "queued") for row in rows.values()),
    }


def _incidents(number: int) -> list[incidents.Incident]:
    return incidents.recent(context().services.engine, number)


def _page(template: str, **content: Any) -> str:
    acting = may_act(context().services.settings)
    token = form_token() if acting else ""
    return render_template(template, acting=acting, token=token, **FILTERS, **content)


def _nonce() -> str:
    """Lets the charts' styles of this one answer through its Content-Security-Policy."""
    return str(request.environ.setdefault(NONCE, secrets.token_urlsafe(16)))
