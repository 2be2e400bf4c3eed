"""Under which names this server may be addressed, as the `Host` of a request says."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from backend.addresses import is_loopback
from backend.settings import Settings
from backend.web.server import printable_address

HOST = re.compile(r"(?:(\[[0-9a-f:.]+\])|([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_-])?)\.?)(?::(\d{1,5}))?", re.ASCII)
USUAL_PORTS = {"http": 80, "https": 443}
MOST = 1_000  # spellings that are remembered

Address = tuple[str, int | None]  # name in lower case, port where one is stated


def read_host(value: str) -> Address | None:
    """A `Host` header as name and port; None if it is none. Names are compared without a closing dot."""
    found = HOST.fullmatch(value.strip().lower())
    if found is None:
        return None
    name = (found[1] or found[2]).strip("[]")
    return name, int(found[3]) if found[3] else None


class Hosts:
    """The names of this server: loopback, HOST, the host of BACKEND_URL, and ALLOWED_HOSTS."""

    def __init__(self, settings: Settings) -> None:
        listens = printable_address(settings.HOST, settings.PORT)
        told = [urlsplit(settings.backend_url).netloc, listens, *settings.ALLOWED_HOSTS.split(",")]
        self._addresses = [found for found in map(read_host, told) if found is not None]
        self._names = {name for name, _ in self._addresses}
        self._known: dict[str, bool] = {}  # every request asks

    def accept(self, host: str) -> bool:
        """Whether a `Host` header names this server. The port is not looked at: tunnels change it."""
        known = self._known.get(host)
        if known is None:
            found = read_host(host)
            known = found is not None and (found[0] in self._names or is_loopback(found[0]))
            if len(self._known) < MOST:
                self._known[host] = known
        return known

    def are_one(self, origin: str, host: str) -> bool:
        """Whether a request that a page of `origin` made came from a page of this server, which it calls `host`.

        A proxy may have changed the `Host` on the way: the configured addresses are this server, too.
        """
        parts = urlsplit(origin)
        page, usual = read_host(parts.netloc), USUAL_PORTS.get(parts.scheme)
        if page is None or usual is None or parts.path or parts.query:
            return False
        asked = read_host(host)
        here = [*self._addresses, *([asked] if asked is not None else [])]
        return any(page[0] == name and _same_port(page[1] or usual, port) for name, port in here)


def _same_port(page: int, port: int | None) -> bool:
    """A proxy that speaks TLS hides whether an address without a port means 80 or 443."""
    return page == port or (port in (None, 80, 443) and page in (80, 443))
