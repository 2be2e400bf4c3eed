"""Protection of forms against other sites: who may act, and that the form came from a page of ours."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from flask import Response, abort, g, request

from backend.loopback import is_loopback
from backend.settings import Settings

COOKIE = "shortlist_form"
FIELD = "token"


def form_token() -> str:
    """The token of this browser, for a hidden field; a new browser gets one with the answer (see `keep_token`)."""
    if "form_token" not in g:
        known = request.cookies.get(COOKIE, "")
        g.form_token = known if len(known) >= 32 else secrets.token_urlsafe(32)
    return str(g.form_token)


def keep_token(response: Response) -> Response:
    """A Flask `after_request` function: store the token that a page was made with. Other sites can neither read it nor
    have it sent along (SameSite=Strict), so a form that repeats it was made by us; no key is shared by web hosts."""
    if "form_token" in g and request.cookies.get(COOKIE) != g.form_token:
        response.set_cookie(COOKIE, g.form_token, httponly=True, samesite="Strict", secure=request.is_secure)
    return response


def check_form(settings: Settings) -> None:
    """Let a form pass that a person sent from a page of ours; anything else ends with 403 and a sentence."""
    if not _may_act(settings):
        abort(403, "actions need a login: set BASIC_AUTH_USER and BASIC_AUTH_PASS, then restart Shortlist")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, "this form came from another site; open the page of the project and use its button")
    origin = request.headers.get("Origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.host:
        abort(403, "this form came from another address; open the page of the project and use its button")
    cookie, given = request.cookies.get(COOKIE, ""), request.form.get(FIELD, "")
    if len(cookie) < 32 or not hmac.compare_digest(cookie.encode(), given.encode()):
        abort(403, "this form is too old or was not made here; load the page of the project again")


def may_act(settings: Settings) -> bool:
    """Whether the page should offer buttons to the person who looks at it."""
    return _may_act(settings)


def _may_act(settings: Settings) -> bool:
    """With a login whoever has it; without one only a person at this machine, who can stop Shortlist just as well.

    The host name is looked at, too: a foreign name that was made to point here must not act.
    """
    if settings.BASIC_AUTH_USER or settings.BASIC_AUTH_PASS.get_secret_value():
        return True
    return is_loopback(request.remote_addr or "") and is_loopback(urlsplit(f"//{request.host}").hostname or "")
