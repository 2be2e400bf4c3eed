"""Protection of forms against other sites: who may act, and that the form came from a page of ours."""

from __future__ import annotations

import hmac
import secrets

from flask import Response, abort, g, request

from backend.addresses import is_loopback
from backend.settings import Settings
from backend.web.forwarded import PASSED_ON
from backend.web.hosts import read_host

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
    """Let a form pass that a page of ours was made with, for this browser and for somebody who may act; anything else
    ends with 403 and a sentence. Requests of other sites do not come this far (see guard.py)."""
    if not may_act(settings):
        abort(403, "actions need a login: set BASIC_AUTH_USER and BASIC_AUTH_PASS, then restart Shortlist")
    cookie, given = request.cookies.get(COOKIE, ""), request.form.get(FIELD, "")
    if len(cookie) < 32 or not hmac.compare_digest(cookie.encode(), given.encode()):
        abort(403, "this form is too old or was not made here; load the page of the project again")


def may_act(settings: Settings) -> bool:
    """Whether the person who looks at a page may act, so that it offers buttons: with a login whoever has it; without
    one only a person at this machine, who can stop Shortlist just as well.

    The host name is looked at, too: a foreign name that was made to point here must not act. Nor must anybody whom a
    proxy on this machine lets in.
    """
    if settings.BASIC_AUTH_USER or settings.BASIC_AUTH_PASS.get_secret_value():
        return True
    asked = read_host(request.host)
    return (
        PASSED_ON not in request.environ
        and asked is not None
        and is_loopback(asked[0])
        and is_loopback(request.remote_addr or "")
    )
