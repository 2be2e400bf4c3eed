"""The web app: proxies before it, middleware (guard, body, headers), then the fast path, then Flask's routes."""

from __future__ import annotations

from functools import partial

from flask import Flask, request

from backend.projects import claims
from backend.services import Services
from backend.serving.live.models import LiveStudents
from backend.web import events
from backend.web.auth import BasicAuth
from backend.web.background import Background
from backend.web.context import WebContext
from backend.web.fast_path import FastPath
from backend.web.forwarded import Forwarded, first_parts
from backend.web.guard import Guard
from backend.web.inbox import Inbox
from backend.web.journal import Journal
from backend.web.metrics import Metrics
from backend.web.middleware import ENDPOINT, FAILED, Middleware
from backend.web.routes.actions import actions
from backend.web.routes.error_pages import handle_errors
from backend.web.routes.ml_backend import wire
from backend.web.routes.ml_backend_extras import extras
from backend.web.routes.pages import people


def create_app(services: Services, live: LiveStudents) -> Flask:
    """The Flask app. It loads no model; everything that it needs is passed in.

    All routes of Label Studio exist a second time under `/p/<project id>/`, for connections whose URL names a project.
    """
    app = Flask(__name__, static_folder="pages/static", template_folder="pages/templates")
    background = Background()
    journal = Journal(services.settings.DATA_DIR / "events")
    inbox = Inbox(background, partial(events.handle, services), partial(claims.tell_lost, services), journal)
    inbox.recover()
    guard = Guard(services.settings, BasicAuth(services.settings))
    here = WebContext(services, live, background, inbox, Metrics(services), guard)
    app.extensions["shortlist"] = here
    app.url_map.strict_slashes = False
    app.before_request(_tell_failure)
    for blueprint in (wire, extras, people, actions):
        app.register_blueprint(blueprint)
    for blueprint in (wire, extras):
        app.register_blueprint(blueprint, url_prefix="/p/<prefix>", name=f"prefixed_{blueprint.name}")
    app.url_value_preprocessor(_note_endpoint)
    inner = Middleware(FastPath(app.wsgi_app, here), guard, here.metrics.count)
    rules = app.url_map.iter_rules()
    app.wsgi_app = Forwarded(inner, services.settings, first_parts(rules))  # type: ignore[method-assign]
    handle_errors(app)
    return app


def _note_endpoint(endpoint: str | None, values: dict[str, object] | None) -> None:
    request.environ[ENDPOINT] = endpoint
    if values and "prefix" in values:
        request.environ["shortlist.project"] = str(values.pop("prefix"))


def _tell_failure() -> None:
    """Raise what ended the request below Flask; what it is answered is decided where all errors are."""
    error = request.environ.get(FAILED)
    if error is not None:
        raise error
