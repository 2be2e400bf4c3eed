"""Pages for people, and the same figures as JSON."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from functools import partial
from typing import Any

from flask import Blueprint, Response, render_template, request

from backend.errors import SettingsError
from backend.label_studio.links import MOST_TASKS, person_link, project_link, task_link, tasks_link
from backend.label_studio.verdict import verdict
from backend.pool import incidents, jobs, projects, promises
from backend.pool.certified import to_see
from backend.pool.projects import Project
from backend.projects.current import Current, current_of
from backend.projects.whereabouts import address
from backend.reporting.annotators import annotators
from backend.reporting.limits import limits
from backend.reporting.page_figures import drawn, insight, next_run
from backend.reporting.second_look import looks
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
    now = current_of(context().services, known_project(number))
    status = project_status(now, context().live.problems())
    return answer_json(
        {**status, "limits": limits(status, insight(now)), "incidents": [asdict(row) for row in _incidents(number)]}
    )


@people.get("/projects/<int:number>")
def one_project(number: int) -> str:
    """The page of one project."""
    services, project = context().services, known_project(number)
    return _page("project.html", **_of_project(services, project))


def _label_config(now: Current) -> tuple[str, ...]:
    """What of the label config is served; nothing where the page says already that it, or an option, is refused."""
    try:
        xml, former = now.project.label_config, now.project.former
        return verdict(xml, now.options, former=former).sentences if now.project.space is not None else ()
    except SettingsError:
        return ()


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
        "label_config": _label_config(now),
        "left_out": left_out_words(status["left_out"]),
        "incidents": [incident_words(row, services.clock()) for row in _incidents(project.project)],
        "next_run": next_run(status, found),
        "limits": limits(status, found),
        "annotators": annotators(now, named=may_act(services.settings)),
        "jobs": [job_words(row, services.clock()) for row in rows.values()],
        **drawn(status, found, _nonce()),
        "next_tasks": _next_tasks(now, place),
        **_second_look(now, status["second_look"], place),
        "tasks_link": partial(tasks_link, place, project.label_studio_id),
        "person_link": partial(person_link, place, project.label_studio_id),
        "label_studio": project_link(place, project.label_studio_id),
        "done": request.args.get("done", "")[:300],
        "problem": request.args.get("problem", "")[:300],
        "running": any(row.state in ("running", "queued") for row in rows.values()),
    }


def _next_tasks(now: Current, place: str) -> dict[str, str] | None:
    """The way to the tasks that people should decide next for a promise; None where there are none."""
    left = to_see(now.engine, now.number)
    asked = left or promises.asked_for(now.engine, now.number)
    if not asked or not place:
        return None
    what = "Tasks that people must still see" if left else "Tasks that the promise waits for"
    first = f" (the first {MOST_TASKS} of {len(asked):,})" if len(asked) > MOST_TASKS else ""
    return {"link": tasks_link(place, now.project.label_studio_id, asked, what), "words": what + first}


def _second_look(now: Current, found: dict[str, Any], place: str) -> dict[str, Any]:
    """The decisions that are worth a second look, and the ways to them in Label Studio."""
    project = now.project.label_studio_id
    doubted = [row["task"] for row in found["decisions"]]
    every = tasks_link(place, project, doubted, "Worth a second look") if place and doubted else ""
    links = {"all": every, "one": partial(task_link, place, project) if place else None}
    return {"looks": looks(now) if doubted else [], "look_links": links}


def _incidents(number: int) -> list[incidents.Incident]:
    return incidents.recent(context().services.engine, number)


def _page(template: str, **content: Any) -> str:
    acting = may_act(context().services.settings)
    token = form_token() if acting else ""
    return render_template(template, acting=acting, token=token, **FILTERS, **content)


def _nonce() -> str:
    """Lets the charts' styles of this one answer through its Content-Security-Policy."""
    return str(request.environ.setdefault(NONCE, secrets.token_urlsafe(16)))
