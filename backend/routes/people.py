"""Pages for people, and the same figures as JSON."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template

from backend.errors import ShortlistError
from backend.pool import projects
from backend.pool.projects import Project
from backend.routes.parts import answer_json, parts
from backend.status import project_status
from backend.triggers import next_training

people = Blueprint("people", __name__, template_folder="../pages/templates")


@people.get("/projects")
def all_projects() -> str:
    """Every project with its phase and version."""
    services = parts().services
    rows = [project_status(services, project) for project in projects.all_projects(services.engine)]
    return render_template("projects.html", projects=rows)


@people.get("/projects/<int:number>.json")
def figures(number: int) -> Response:
    """The figures of one project."""
    return answer_json(project_status(parts().services, _known(number)))


@people.get("/projects/<int:number>")
def one_project(number: int) -> str:
    """The page of one project."""
    services, project = parts().services, _known(number)
    return render_template("project.html", status=project_status(services, project), next_training=_next(project))


def _known(number: int) -> Project:
    project = projects.get(parts().services.engine, number) if 0 < number < 2**63 else None
    if project is None:
        abort(404, f"project {number} is not known here; connect it in Label Studio first")
    return project


def _next(project: Project) -> str:
    try:
        return next_training(parts().services, project).explanation
    except ShortlistError as error:
        return str(error)
