"""What Label Studio calls seldom, or only other editions and versions of it; and metrics."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from backend.errors import QueueError, RequestError, ShortlistError
from backend.label_studio.fields import identifier
from backend.label_studio.verdict import verdict
from backend.pool import jobs, projects, versions
from backend.pool.projects import Project
from backend.projects import triggers
from backend.projects.current import current_of
from backend.serving.live.readiness import readiness
from backend.web.bodies import project_key, read_object, refused
from backend.web.context import answer_json, context

extras = Blueprint("extras", __name__)


@extras.route("/versions", methods=["GET", "POST"])
def list_versions() -> Response:
    """Versions of one project, the served one first.

    Label Studio names no project here; `/p/<id>` as part of the backend's URL, `?project=`, or a backend that has only
    one project tells whose are meant.
    """
    project = _meant(_query())
    if project is None or project.space is None:
        return answer_json({"versions": []})
    services = context().services
    stored = [row.version for row in versions.list_versions(services.engine, project.project)]
    return answer_json({"versions": list(dict.fromkeys([current_of(services, project).served_version, *stored]))})


@extras.route("/job_status", methods=["GET", "POST"])
def job_status() -> Response:
    """The jobs of a project; 410 when there is none of that project."""
    project = _meant(_query())
    rows = jobs.get(context().services.engine, project.project) if project else {}
    if not rows:
        return answer_json({"job_status": "unknown"}, 410)
    latest = max(rows.values(), key=lambda row: row.updated_ms)
    return answer_json({"job_status": latest.state, "jobs": {kind: _job(row) for kind, row in rows.items()}})


@extras.post("/validate")
def validate() -> Response:
    """Whether a label config is supported, and if not, why."""
    body = read_object()
    given = next((body[key] for key in ("config", "label_config", "schema") if key in body), None)
    if not isinstance(given, str):
        raise RequestError("config must be the label config as text")
    options = context().services.settings.for_project({"CONTROL": str(body.get("control") or "")})
    found = verdict(given, options)
    if not found.questions:
        return refused(422, found.message)
    labels = [label.name for label in found.questions[0].labels]
    old = {"valid": True, "control": found.questions[0].name, "labels": labels, "notes": list(found.sentences)}
    return answer_json({**found.to_json(), **old})


@extras.post("/train")
def train() -> Response:
    """Start a training, as the button in Label Studio does."""
    number, created = project_key(read_object().get("project"))
    known = _known(number, created)
    if known is None:
        return refused(404, f"project {number} is not known here")
    return answer_json({"status": triggers.on_start_training(context().services, known.project)}, 201)


@extras.route("/delete", methods=["POST", "DELETE"])
@extras.post("/duplicate_model")
def nothing_to_do() -> Response:
    """Nothing: data belong to the project, not to the connection; `shortlist disconnect --forget` removes them."""
    return answer_json({})


@extras.get("/ready")
def ready() -> Response:
    """Whether everything that answering needs is there: 200 or 503. Without the login it says no more than that."""
    here = context()
    found = readiness(here.services, here.live)
    shown = found.to_json() if here.guard.is_let_in(request.environ) else {"ready": found.ready}
    return answer_json(shown, 200 if found.ready else 503)


@extras.get("/metrics")
def metrics() -> Response:
    """Prometheus metrics."""
    return context().metrics.page()


def _query() -> dict[str, Any]:
    """`?project=`, a JSON body, or a URL prefix: whatever names a project."""
    prefix = request.environ.get("shortlist.project")
    if prefix is not None:
        return {"project": prefix}
    if request.args:
        return dict(request.args)
    return read_object() if request.get_data() else {}


def _meant(query: dict[str, Any]) -> Project | None:
    services = context().services
    job = str(query.get("job") or "").rpartition("-")[2]
    stated = query.get("project") or job
    if not stated:
        known = projects.all_projects(services.engine)
        return known[0] if len(known) == 1 else None
    first, _, created = str(stated).partition(".")
    number = identifier(first)
    return (_known(number, created) or _known(number, "")) if number is not None else None


def _known(number: int, created: str) -> Project | None:
    """By `<id>.<created>` as Label Studio names it, or by its number here."""
    engine = context().services.engine
    return projects.find(engine, number, created) if created else projects.get(engine, number)


def _job(row: jobs.JobRow) -> dict[str, Any]:
    return {"state": row.state, "step": row.step, "progress": row.progress, "error": row.error}


@extras.errorhandler(RequestError)
def _not_understood(error: RequestError) -> Response:
    return refused(400, str(error))


@extras.errorhandler(QueueError)
def _no_queue(error: QueueError) -> Response:
    return refused(503, str(error))


@extras.errorhandler(ShortlistError)
def _not_supported(error: ShortlistError) -> Response:
    return refused(422, str(error))
