"""HTTP Basic authentication."""

from __future__ import annotations

import hmac

from werkzeug.datastructures import Authorization
from werkzeug.exceptions import Unauthorized

from backend.settings import Settings

REALM = ("WWW-Authenticate", 'Basic realm="Shortlist", charset="UTF-8"')


class LoginNeeded(Unauthorized):
    """401, which makes browsers ask for the login."""

    description = "log in with BASIC_AUTH_USER and BASIC_AUTH_PASS"

    def get_headers(self, *arguments: object, **options: object) -> list[tuple[str, str]]:
        """werkzeug's own, and which login is meant."""
        return [*super().get_headers(), REALM]


class BasicAuth:
    """Compares credentials in constant time. Without BASIC_AUTH_USER and BASIC_AUTH_PASS everybody may come in."""

    def __init__(self, settings: Settings) -> None:
        self._user = settings.BASIC_AUTH_USER.encode()
        self._password = settings.BASIC_AUTH_PASS.get_secret_value().encode()

    @property
    def required(self) -> bool:
        """Whether a login is asked for at all."""
        return bool(self._user or self._password)

    def accepts(self, given: Authorization | None) -> bool:
        """Whether these credentials are right. Any other scheme, and no credentials at all, are not."""
        if not self.required:
            return True
        basic = given is not None and given.type == "basic"
        user = (given.username or "") if basic and given is not None else ""
        password = (given.password or "") if basic and given is not None else ""
        right_user = hmac.compare_digest(_bytes(user), self._user)
        right_password = hmac.compare_digest(_bytes(password), self._password)
        return basic and right_user and right_password


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
