"""Request bodies, read whole before anybody works on them, and refusals.

Label Studio shows people the reason phrase and drops the body, so that is our voice.
"""

from __future__ import annotations

import io
import json
import re
from typing import Any

import orjson
from flask import Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout

from backend.errors import RequestError

MAX_BODY_BYTES = 512 * 1024 * 1024  # a selection of a few hundred thousand tasks
PROJECT = re.compile(r"^([1-9]\d{0,17})(?:\.(\d{1,20}))?$", re.ASCII)
LONGEST_PHRASE = 300
TOO_LARGE = f"the body of a request must have at most {MAX_BODY_BYTES // 2**20} MB: select fewer tasks at once"


def take_body(environ: dict[str, Any]) -> None:
    """Read the body and leave it in the WSGI environment, in memory.

    Raises the werkzeug exception that says why there is none: too large, shorter than stated, or late, which the
    server's reader tells by a TimeoutError.
    """
    stated, chunked = environ.get("CONTENT_LENGTH") or "0", "HTTP_TRANSFER_ENCODING" in environ
    if not stated.isdecimal():
        raise BadRequest("Content-Length must be a number of bytes")
    wanted = MAX_BODY_BYTES + 1 if chunked else int(stated)
    if wanted > MAX_BODY_BYTES and not chunked:
        raise RequestEntityTooLarge(TOO_LARGE)
    try:
        data = environ["wsgi.input"].read(wanted) if wanted else b""
    except TimeoutError:
        raise RequestTimeout("the body of the request did not arrive in time; send it again") from None
    if len(data) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge(TOO_LARGE)
    if len(data) < wanted and not chunked:
        raise BadRequest("the body of the request is shorter than its Content-Length says")
    leave_body(environ, data)


def leave_body(environ: dict[str, Any], data: bytes) -> None:
    """From now on the request has this body, and nothing is read from its sender any more."""
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(data), str(len(data))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def read_object() -> dict[str, Any]:
    """The request's JSON object; RequestError says what is wrong."""
    return json_object(request.get_data(cache=False))


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object of a body; RequestError says what is wrong."""
    try:
        body = _parse(data)
    except RecursionError:
        raise RequestError("the JSON body is nested too deeply") from None
    except ValueError:
        raise RequestError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise RequestError(f"the body must be a JSON object, got {type(body).__name__}")
    return body


def _parse(data: bytes) -> Any:
    """By the fast parser; what it does not take (NaN, lone surrogates, other encodings) by the patient one."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def project_key(value: object) -> tuple[int, str]:
    """Label Studio's `<id>.<created>` as (id, created or ""); RequestError if it is neither."""
    match = PROJECT.match(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if match is None:
        raise RequestError(f"project must be <id>.<created>, got {str(value)[:40]!r}")
    return int(match[1]), match[2] or ""


def refused(status: int, sentence: str) -> Response:
    """A refusal with the sentence as reason phrase (one line, Latin-1) and in the body."""
    line = " ".join("".join(char if char.isprintable() else " " for char in sentence).split())
    phrase = line[:LONGEST_PHRASE].encode("latin-1", "replace").decode("latin-1")
    return Response(json.dumps({"error": line}), f"{status} {phrase or 'refused'}", mimetype="application/json")
