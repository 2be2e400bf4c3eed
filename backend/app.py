"""The web app: routes only. What is answered is decided in policy.py, what starts a job in triggers.py."""

from __future__ import annotations

import uuid
from functools import partial

import structlog
from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from backend import events
from backend.auth import BasicAuth
from backend.background import Background
from backend.bodies import MAX_BODY_BYTES, refused
from backend.front import ENDPOINT, Front
from backend.inbox import Inbox
from backend.live import LiveStudents
from backend.metrics import Metrics
from backend.routes.actions import actions
from backend.routes.extras import extras
from backend.routes.parts import Parts
from backend.routes.people import people
from backend.routes.wire import wire
from backend.services import Services

log = structlog.get_logger(__name__)


def create_app(services: Services, live: LiveStudents) -> Flask:
    """The Flask app. It loads no model; everything that it needs is passed in.

    All routes of Label Studio exist a second time under `/p/<project id>/`, for connections whose URL names a project.
    """
    app = Flask(__name__, static_folder="pages/static", template_folder="pages/templates")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    background = Background()
    inbox = Inbox(background, partial(events.handle, services))
    auth = BasicAuth(services.settings)
    here = Parts(services, live, background, inbox, Metrics(services), auth)
    app.extensions["shortlist"] = here
    app.url_map.strict_slashes = False
    if auth.required:
        app.before_request(auth.guard)
    for blueprint in (wire, extras, people, actions):
        app.register_blueprint(blueprint)
    for blueprint in (wire, extras):
        app.register_blueprint(blueprint, url_prefix="/p/<prefix>", name=f"prefixed_{blueprint.name}")
    app.url_value_preprocessor(_note_endpoint)
    app.wsgi_app = Front(app.wsgi_app, here.metrics.count)  # type: ignore[method-assign]
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SQLAlchemyError, _database_error)
    app.register_error_handler(Exception, _our_error)
    return app


def _note_endpoint(endpoint: str | None, values: dict[str, object] | None) -> None:
    request.environ[ENDPOINT] = endpoint
    if values and "prefix" in values:
        request.environ["shortlist.project"] = str(values.pop("prefix"))


def _http_error(error: HTTPException) -> Response:
    return refused(error.code or 500, error.description or error.name)


def _database_error(error: SQLAlchemyError) -> Response:
    error_id = uuid.uuid4().hex[:12]
    log.error("the database cannot be used", path=request.path, error_id=error_id, exc_info=error)
    return refused(503, f"the database cannot be used now; error {error_id} in the log of Shortlist")


def _our_error(error: Exception) -> Response:
    error_id = uuid.uuid4().hex[:12]
    log.error("request failed", path=request.path, error_id=error_id, exc_info=error)
    return refused(500, f"Shortlist failed; error {error_id} in its log")
