"""A real reverse proxy on loopback, as nginx stands before a server: below a path, over TLS, with X-Forwarded-*."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.proxy import LoopbackProxy, relay


class ReverseProxy(LoopbackProxy):
    """Passes what is asked below `prefix` on to the server at `behind`, with or (`strips`) without the prefix; all else
    is 404. `says` are the headers that it sets; `tls` is a certificate and its key.

    Without `says` it tells what a careful nginx tells: client, scheme, host and prefix.
    """

    def __init__(
        self,
        behind: str = "",
        prefix: str = "",
        *,
        strips: bool = True,
        tls: tuple[Path, Path] | None = None,
        says: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.behind, self.prefix, self.strips = behind, prefix, strips
        self._says = says
        self._scheme = "https" if tls else "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.origin = f"{self._scheme}://{self.address}"
        self.url = self.origin + prefix

    def pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """A request below the prefix."""
        if not f"{request.path.partition('?')[0]}/".startswith(f"{self.prefix}/"):
            request.send_error(404, "this proxy has nothing there")
            return
        path = request.path.removeprefix(self.prefix) if self.strips else request.path
        relay(request, body, urlsplit(self.behind).netloc, path or "/", self._told(request))

    def _told(self, request: BaseHTTPRequestHandler) -> dict[str, str]:
        if self._says is not None:
            return dict(self._says)
        before = request.headers.get("X-Forwarded-For")
        client = request.client_address[0]
        return {
            "X-Forwarded-For": f"{before}, {client}" if before else client,
            "X-Forwarded-Proto": self._scheme,
            "X-Forwarded-Host": request.headers.get("Host", ""),
            "X-Forwarded-Prefix": self.prefix,
        }
