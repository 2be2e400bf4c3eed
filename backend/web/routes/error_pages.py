"""What a request that ends in an error is answered: a page for browsers, JSON for programs, with the same sentence."""

from __future__ import annotations

import re
import uuid

import structlog
from flask import Flask, Response, render_template, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from backend.web.bodies import refused

log = structlog.get_logger(__name__)

HTML, JSON = "text/html", "application/json"
PROJECT = re.compile(r"^/projects/([1-9]\d{0,17})/", re.ASCII)  # something on the page of a project
HEADINGS = {400: "This was not understood", 403: "This was not done", 404: "There is nothing here",
            405: "This address cannot be opened", 401: "A login is needed", 503: "Not possible now"}  # fmt: skip


def handle_errors(app: Flask) -> None:
    """Answer everything that ends a request early."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SQLAlchemyError, _database_error)
    app.register_error_handler(Exception, _our_error)


def wants_page() -> bool:
    """Whether the client is a browser, which prefers HTML."""
    return request.accept_mimetypes.best_match([JSON, HTML], JSON) == HTML


def refusal(status: int, sentence: str) -> Response:
    """The sentence as a page for clients that prefer HTML, as JSON for all others; it is the reason phrase of both."""
    answer = refused(status, sentence)
    if not wants_page():
        return answer
    found = PROJECT.match(request.path)
    page = render_template(
        "refused.html",
        status=status,
        heading=HEADINGS.get(status, "Something went wrong"),
        sentence=sentence[:1].upper() + sentence[1:].rstrip("."),
        project=found[1] if found else "",
    )
    return Response(page, answer.status, mimetype=HTML)


def _http_error(error: HTTPException) -> Response:
    answer = refusal(error.code or 500, error.description or error.name)
    for name, value in error.get_headers(request.environ):  # Allow of 405, WWW-Authenticate of 401
        if name.lower() != "content-type":
            answer.headers[name] = value
    return answer


def _database_error(error: SQLAlchemyError) -> Response:
    error_id = uuid.uuid4().hex[:12]
    log.error("the database cannot be used", path=request.path, error_id=error_id, exc_info=error)
    return refusal(503, f"the database cannot be used now; error {error_id} in the log of Shortlist")


def _our_error(error: Exception) -> Response:
    error_id = uuid.uuid4().hex[:12]
    log.error("request failed", path=request.path, error_id=error_id, exc_info=error)
    return refusal(500, f"Shortlist failed; error {error_id} in its log")
