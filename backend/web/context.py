"""What the routes of one app share."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import Response, abort, current_app

from backend.pool import projects
from backend.pool.projects import Project
from backend.services import Services
from backend.serving.live.models import LiveStudents
from backend.web.background import Background
from backend.web.guard import Guard
from backend.web.inbox import Inbox
from backend.web.metrics import Metrics


@dataclass(frozen=True)
class WebContext:
    """Services, models in memory, the background thread with its inbox, the counters, and the guard."""

    services: Services
    live: LiveStudents
    background: Background
    inbox: Inbox
    metrics: Metrics
    guard: Guard


def context() -> WebContext:
    """What the app that answers the current request works with."""
    found = current_app.extensions["shortlist"]
    assert isinstance(found, WebContext)
    return found


def answer_json(content: object, status: int = 200) -> Response:
    """A JSON answer; NaN and infinity never leave."""
    return json_answer(json.dumps(content, allow_nan=False).encode(), status)


def json_answer(content: bytes, status: int = 200) -> Response:
    """A JSON answer that is written already."""
    return Response(content, status, mimetype="application/json")


def known_project(number: int) -> Project:
    """The project that an address names; ends the request with 404 and a sentence if there is none."""
    project = projects.get(context().services.engine, number) if 0 < number < 2**63 else None
    if project is None:
        abort(404, f"project {number} is not known here; connect it in Label Studio first")
    return project
