"""What Label Studio calls all the time: health, setup, predict, webhook."""

from __future__ import annotations

import json
import uuid
from typing import Any

import structlog
from flask import Blueprint, Response, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from backend.errors import RequestError, ShortlistError
from backend.pool import projects
from backend.pool.projects import Project
from backend.projects.current import current_of
from backend.projects.updates import KEEP, remember
from backend.serving.live.predict import NO_ENTRY, NO_OBJECT, answer
from backend.web import events
from backend.web.bodies import project_key, read_object, refused
from backend.web.context import WebContext, answer_json, context, json_answer
from backend.web.routes.error_pages import wants_page

log = structlog.get_logger(__name__)
wire = Blueprint("wire", __name__)

EVENT_WAIT_SECONDS = 0.03  # how long an answer waits for a small event to be stored; Label Studio waits 1 second
SMALL_EVENT = 50  # annotations or tasks; larger events are worked through after the answer


UP = json.dumps({"status": "UP"}).encode()
NOTED = b"{}"

Body = dict[str, Any]


@wire.get("/health")
def health() -> Response:
    """Alive: nothing is asked, nothing is loaded."""
    return json_answer(UP)


@wire.get("/")
def root() -> ResponseReturnValue:
    """Alive, too; a browser is led to the pages."""
    if wants_page():
        return redirect(url_for("people.all_projects"))
    return answer_json({"status": "UP", "name": "Shortlist", "pages": url_for("people.all_projects")})


@wire.post("/setup")
def setup() -> Response:
    """The version that is served. What is not supported is refused with the sentence as reason phrase."""
    return json_answer(setup_answer(context(), read_object()))


@wire.post("/predict")
def predict() -> Response:
    """One entry per task, whatever happens."""
    return json_answer(predict_answer(context(), read_object()))


@wire.post("/webhook")
def webhook() -> Response:
    """Take the event and answer at once; nothing that is wrong with it is Label Studio's concern."""
    try:
        body = read_object()
    except RequestError as error:
        log.warning("event refused", reason=str(error))
        return json_answer(NOTED)
    return json_answer(webhook_answer(context(), body))


def health_answer(here: WebContext, body: Body) -> bytes:
    """What /health answers."""
    return UP


def setup_answer(here: WebContext, body: Body) -> bytes:
    """What /setup answers; RequestError or ShortlistError says why not."""
    project, created = project_key(body.get("project"))
    label_config = body.get("schema", body.get("label_config"))
    if not isinstance(label_config, str):
        raise RequestError("schema must be the label config as text")
    extra = body.get("extra_params", KEEP)
    place = body.get("hostname")
    known = remember(here.services, project, created, label_config, extra_params=extra, instance=place,
                     later=here.background.do)  # fmt: skip
    return json.dumps({"model_version": current_of(here.services, known).served_version}).encode()


def predict_answer(here: WebContext, body: Body) -> bytes:
    """What /predict answers; RequestError only where there is no list of tasks."""
    tasks = body.get("tasks")
    if not isinstance(tasks, list):
        raise RequestError("tasks must be a list")
    context = body.get("params", {}).get("context") if isinstance(body.get("params"), dict) else None
    interactive = bool(context)
    try:
        entries = _entries(here, _project(here, body), tasks, interactive)
    except ShortlistError as error:  # label config or options are not usable; /setup says so to people
        log.warning("no predictions", project=str(body.get("project"))[:40], reason=str(error))
        entries = _nothing(here, tasks, interactive)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip()
        log.error("no predictions, the database cannot be used", reason=reason)
        entries = _nothing(here, tasks, interactive)
    except Exception:  # whatever it is, a person who opens a task gets an empty form and not an error
        log.exception("predict failed", error_id=uuid.uuid4().hex[:12])
        entries = _nothing(here, tasks, interactive)
    return b'{"results": [' + b", ".join(entries) + b"]}"


def _nothing(here: WebContext, tasks: list[object], interactive: bool) -> list[bytes]:
    """The entries of a request that nothing could be found out for."""
    here.metrics.count_entries("failed", len(tasks))
    return [NO_OBJECT if interactive else NO_ENTRY] * len(tasks)


def webhook_answer(here: WebContext, body: Body) -> bytes:
    """Note an event; what /webhook answers."""
    wait = EVENT_WAIT_SECONDS if events.size(body) <= SMALL_EVENT else 0.0
    here.inbox.take(body, wait)
    here.metrics.events.labels(events.known(body)).inc()
    return NOTED


def _project(here: WebContext, body: Body) -> Project:
    """The project of a /predict; its label config is current in every call, so there may have been no /setup."""
    number, created = project_key(body.get("project"))
    label_config = body.get("label_config")
    if isinstance(label_config, str):
        return remember(here.services, number, created, label_config, later=here.background.do)
    known = projects.find(here.services.engine, number, created)
    if known is None:
        raise RequestError(f"project {number} is not known here and the request has no label_config")
    return known


def _entries(here: WebContext, project: Project, tasks: list[object], interactive: bool) -> list[bytes]:
    later, count = here.background.do, here.metrics.count_entries
    return answer(here.services, here.live, project, tasks, interactive, later=later, count=count)


@wire.errorhandler(RequestError)
def _not_understood(error: RequestError) -> Response:
    return refused(400, str(error))


@wire.errorhandler(ShortlistError)
def _not_supported(error: ShortlistError) -> Response:
    return refused(422, str(error))
