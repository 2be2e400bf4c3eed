"""What Label Studio calls whenever a task is opened, answered below Flask, whose dispatch costs more than the answer.

Only what is plain is answered here: these paths and methods, a body that is a JSON object, and no error. All else is
given to the app as it came, and an error with it, so that refusals and errors have one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from backend.errors import RequestError
from backend.web.bodies import json_object
from backend.web.context import WebContext
from backend.web.middleware import ENDPOINT, FAILED
from backend.web.routes.ml_backend import Body, health_answer, predict_answer, setup_answer, webhook_answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer = Callable[[WebContext, Body], bytes]
Call = tuple[str, str]  # method, path

CALLS: dict[Call, tuple[str, Answer]] = {
    ("GET", "/health"): ("wire.health", health_answer),
    ("POST", "/setup"): ("wire.setup", setup_answer),
    ("POST", "/predict"): ("wire.predict", predict_answer),
    ("POST", "/webhook"): ("wire.webhook", webhook_answer),
}


class FastPath:
    """A WSGI application before another one, behind the middleware, which has let the request in and read its body."""

    def __init__(self, app: WSGIApplication, here: WebContext) -> None:
        self._app, self._here = app, here

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        known = CALLS.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        content = self._content(environ, *known) if known is not None and FAILED not in environ else None
        if content is None:
            return self._app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    def _content(self, environ: WSGIEnvironment, endpoint: str, answer: Answer) -> bytes | None:
        """The answer's body; None where the app has to answer."""
        body: Body = {}
        if environ["REQUEST_METHOD"] == "POST":
            try:
                body = json_object(environ["wsgi.input"].getvalue())
            except RequestError:
                return None
        try:
            content = answer(self._here, body)
        except Exception as error:  # the app raises it, which knows how to tell it
            environ[FAILED] = error
            return None
        environ[ENDPOINT] = endpoint
        return content
