"""Label Studio's connections to ML backends and webhooks: which are ours, and what they carry."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from backend.pool.version_names import is_version
from backend.settings import Settings


def ours(connections: Sequence[dict[str, Any]], backend_url: str) -> list[dict[str, Any]]:
    """The connections that lead to this backend: by address, or by a title that only we give."""
    return [
        connection
        for connection in connections
        if same_address(str(connection.get("url")), backend_url) or is_version(str(connection.get("title")))
    ]


def at_address(rows: Iterable[dict[str, Any]], url: str) -> list[dict[str, Any]]:
    """The connections or webhooks that lead to an address."""
    return [row for row in rows if same_address(str(row.get("url")), url)]


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same but for a slash at the end."""
    return one.rstrip("/") == other.rstrip("/")


def login_fields(settings: Settings) -> dict[str, str]:
    """What a connection needs to pass our Basic auth: to be sent with every change, or Label Studio forgets it."""
    if not settings.BASIC_AUTH_USER:
        return {}
    password = settings.BASIC_AUTH_PASS.get_secret_value()
    return {"auth_method": "BASIC_AUTH", "basic_auth_user": settings.BASIC_AUTH_USER, "basic_auth_pass": password}


def webhook_headers(settings: Settings) -> dict[str, str]:
    """What the webhook must carry to pass our Basic auth: Label Studio does not add the connection's login."""
    if not settings.BASIC_AUTH_USER:
        return {}
    login = f"{settings.BASIC_AUTH_USER}:{settings.BASIC_AUTH_PASS.get_secret_value()}"
    return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}


def webhook_url(backend_url: str) -> str:
    """Where Label Studio sends events."""
    return backend_url.rstrip("/") + "/webhook"
