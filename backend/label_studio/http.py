"""HTTP towards Label Studio: tokens of both kinds, time-outs, and answers turned into errors that people can act on."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from backend.errors import (
    AddressBlocked,
    LabelStudioError,
    LabelStudioLacks,
    LabelStudioRefused,
    LabelStudioUnavailable,
)
from backend.label_studio.releases import TOKENS
from model.teacher.providers.connecting import advice
from model.teacher.providers.trusted import trusted

CONNECT_SECONDS = 5.0
ACCESS_SECONDS = 200  # Label Studio's access tokens live 300 s
BLOCKED = (
    "Label Studio refuses private addresses such as {address}: start Label Studio with ML_BLOCK_LOCAL_IP=0 and "
    "SSRF_PROTECTION_ENABLED=0, then connect again"
)


class LabelStudioHttp:
    """One Label Studio server and one key: a personal access token (a JWT) or a legacy token (40 hex digits).

    No request is repeated here: repeating a write doubles rows, and jobs are retried as a whole.
    """

    def __init__(self, url: str, api_key: str, timeout_seconds: float = 60.0) -> None:
        if not url:
            raise LabelStudioRefused("LABEL_STUDIO_URL is not set: give the address of Label Studio")
        if not api_key:
            raise LabelStudioRefused("LABEL_STUDIO_API_KEY is not set: create one under Account & Settings")
        self.url = url.rstrip("/")
        self._key = api_key.strip()
        self._access = ("", 0.0)
        self._lock = threading.Lock()
        timeout = httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS)
        verify = trusted(httpx.create_ssl_context)
        self._client = httpx.Client(base_url=self.url + "/", timeout=timeout, follow_redirects=False, verify=verify)
        self.before_write: Callable[[], None] = lambda: None  # raises where nothing may be changed any more
        self.server_time = ""  # Label Studio's clock at its last answer: the Date header, RFC 9110

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """GET; the parsed JSON."""
        return self.send("GET", path, params=params)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        params: dict[str, Any] | None = None,
        seconds: float | None = None,
    ) -> Any:
        """One request, answered within `seconds` if that is not the usual time; the JSON, or None for an empty answer.

        Raises LabelStudioUnavailable (down, slow, 429, 5xx), LabelStudioRefused (401, 403, 404), AddressBlocked, and
        LabelStudioError for everything else that is not 2xx.
        """
        headers = {"Authorization": self._authorization()}
        if method != "GET":
            self.before_write()
        answer = self._request(method, path, body, params, headers, seconds)
        if answer.status_code == 401 and _is_jwt(self._key):
            self._access = ("", 0.0)
            answer = self._request(method, path, body, params, {"Authorization": self._authorization()}, seconds)
        self.server_time = next(reversed(answer.headers.get_list("date")), "")  # a server before it may add its own
        return _content(answer, method, path, body)

    def _request(
        self,
        method: str,
        path: str,
        body: object,
        params: dict[str, Any] | None,
        headers: dict[str, str],
        seconds: float | None = None,
    ) -> httpx.Response:
        timeout = httpx.USE_CLIENT_DEFAULT if seconds is None else httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        try:
            return self._client.request(
                method, path.lstrip("/"), json=body, params=params, headers=headers, timeout=timeout
            )
        except httpx.TimeoutException:
            raise LabelStudioUnavailable(f"Label Studio at {self.url} does not answer in time") from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            told = advice(error, self.url)
            if told:
                raise LabelStudioRefused(f"Label Studio at LABEL_STUDIO_URL: {told}") from None
            raise LabelStudioUnavailable(f"Label Studio at {self.url} cannot be reached: {error}") from None

    def _authorization(self) -> str:
        if not _is_jwt(self._key):
            return f"Token {self._key}"
        with self._lock:
            token, expires = self._access
            if time.monotonic() >= expires:
                token = self._refresh()
                self._access = (token, time.monotonic() + ACCESS_SECONDS)
            return f"Bearer {token}"

    def _refresh(self) -> str:
        answer = self._request("POST", "api/token/refresh/", {"refresh": self._key}, None, {})
        if answer.status_code == 401:
            raise LabelStudioRefused(
                "Label Studio does not accept the personal access token in LABEL_STUDIO_API_KEY: it was revoked or "
                "belongs to another server; create a new one under Account & Settings"
            )
        if answer.status_code == 404:
            raise LabelStudioRefused(
                f"LABEL_STUDIO_API_KEY is a personal access token, and {self.url} knows none: if Label Studio lives "
                f"there, it is older than {TOKENS}, which brings them; use the legacy token of Account & Settings"
            )
        content = _content(answer, "POST", "api/token/refresh/", None)
        return str(content["access"])


def _is_jwt(key: str) -> bool:
    head, _, rest = key.partition(".")
    if "." not in rest:
        return False
    try:
        return "alg" in json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return False


def _content(answer: httpx.Response, method: str, path: str, body: object) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    detail = _detail(answer)
    request = f"{method} /{path.lstrip('/').split('?')[0]}"
    if answer.status_code == 429 or answer.status_code >= 500:
        raise LabelStudioUnavailable(f"Label Studio answered {answer.status_code} to {request}: {detail}")
    if "reserved network address" in detail:
        address = body.get("url", "") if isinstance(body, dict) else ""
        raise AddressBlocked(BLOCKED.format(address=address or "this one"))
    if "legacy token authentication has been disabled" in detail:
        raise LabelStudioRefused(
            "LABEL_STUDIO_API_KEY is a legacy token, which this Label Studio has switched off: use a personal access "
            "token, or switch legacy tokens on under Organization, Access Token Settings"
        )
    if answer.status_code == 401:
        raise LabelStudioRefused(f"Label Studio does not accept LABEL_STUDIO_API_KEY ({detail}); create a new token")
    if answer.status_code in (403, 404):
        kind = LabelStudioLacks if answer.status_code == 404 else LabelStudioRefused
        raise kind(f"Label Studio answered {answer.status_code} to {request}: {detail}")
    if answer.is_redirect:
        target = answer.headers.get("location", "elsewhere")
        raise LabelStudioRefused(f"Label Studio sends {request} on to {target}; set LABEL_STUDIO_URL to where it lives")
    raise LabelStudioError(f"Label Studio answered {answer.status_code} to {request}: {detail}")


def _detail(answer: httpx.Response) -> str:
    try:
        content = answer.json()
    except ValueError:
        return answer.reason_phrase or "no explanation"
    if not isinstance(content, dict):
        return str(content)[:500]
    problems = content.get("validation_errors") or content.get("detail") or content
    return str(problems)[:500]
