"""Who may ask at all. Every request passes here before its body is read, whatever its address and its way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import Authorization
from werkzeug.exceptions import Forbidden, UnsupportedMediaType

from backend.settings import Settings
from backend.web.auth import BasicAuth, LoginNeeded
from backend.web.forwarded import SENT_HOST
from backend.web.hosts import Hosts

OPEN = re.compile(r"(?:/p/[^/]+)?/(?:health|ready)/?")  # says only that the process lives, or whether it can work
FORMS = "/projects/"  # below it people act by forms; everything else that has a body is JSON
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
JSON_TYPE = "application/json"
OURS = (None, "same-origin", "none")  # Sec-Fetch-Site of programs, of our own pages, of what a person typed
SAFE = ("GET", "HEAD", "OPTIONS")

Environ = Mapping[str, Any]


class Guard:
    """Names, other sites, login, content type: in this order, so that whoever may not ask learns nothing more."""

    def __init__(self, settings: Settings, auth: BasicAuth) -> None:
        self._hosts, self._auth = Hosts(settings), auth

    def check(self, environ: Environ) -> None:
        """Raises the werkzeug exception that says in a sentence why the request is refused."""
        host = environ.get("HTTP_HOST", "")
        if not self._auth.required:
            for name in (environ.get(SENT_HOST, host), host):  # a foreign name stays one whatever else is claimed
                if not self._hosts.accept(name):
                    raise _foreign_name(name)
        if "HTTP_SEC_FETCH_SITE" in environ or "HTTP_ORIGIN" in environ:
            self._refuse_other_sites(environ, host)
        if self._auth.required and not self.is_let_in(environ) and not OPEN.fullmatch(environ["PATH_INFO"]):
            raise LoginNeeded
        if environ.get("CONTENT_TYPE") != JSON_TYPE or environ["PATH_INFO"].startswith(FORMS):
            _refuse_other_types(environ)

    def is_let_in(self, environ: Environ) -> bool:
        """Whether the request has the login, where one is needed."""
        return self._auth.accepts(Authorization.from_header(environ.get("HTTP_AUTHORIZATION")))

    def _refuse_other_sites(self, environ: Environ, host: str) -> None:
        """Browsers say with which page a request began. A link to one of our pages may stand anywhere."""
        site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
        if site not in OURS and not (_follows_a_link(environ) and origin is None):
            raise Forbidden("this request came from another site; open the page of the project and use its button")
        if origin is not None and not self._hosts.are_one(origin, host):
            raise Forbidden(
                "this request came from a page at another address; open the page of the project, or set BACKEND_URL to "
                "the address under which people open it"
            )


def _foreign_name(host: str) -> Forbidden:
    return Forbidden(
        f"this server does not know itself as {host[:80] or 'nothing'}: set BACKEND_URL to the address that Label "
        "Studio uses, or ALLOWED_HOSTS to more names, or a login (BASIC_AUTH_USER, BASIC_AUTH_PASS), then restart it"
    )


def _follows_a_link(environ: Environ) -> bool:
    """Somebody clicked on a link, and the answer fills the whole window, where no other page can read it."""
    opened = (environ.get("HTTP_SEC_FETCH_MODE"), environ.get("HTTP_SEC_FETCH_DEST"))
    return environ["REQUEST_METHOD"] in ("GET", "HEAD") and opened == ("navigate", "document")


def _refuse_other_types(environ: Environ) -> None:
    """Forms of other sites can send any text, but not JSON by that name."""
    stated = environ.get("CONTENT_TYPE") or ""
    body = "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH") not in (None, "", "0")
    if not body and (not stated or environ["REQUEST_METHOD"] in SAFE):
        return
    wanted = FORM_TYPES if environ["PATH_INFO"].startswith(FORMS) else (JSON_TYPE,)
    if stated.partition(";")[0].strip().lower() not in wanted:
        raise UnsupportedMediaType(f"send the body with Content-Type: {wanted[0]}, not {stated[:60] or 'without one'}")
