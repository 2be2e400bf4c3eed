"""Real HTTP proxies on loopback: what they have in common, and one for requests to anywhere."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

HOPS = ("proxy-connection", "connection", "keep-alive", "transfer-encoding", "host", "content-length")


class LoopbackProxy:
    """A server in a thread of its own that hands each request to `pass_on`."""

    def __init__(self) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy.pass_on(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """Ask the server behind, and give its answer back."""
        raise NotImplementedError


def relay(request: BaseHTTPRequestHandler, body: bytes, behind: str, path: str, more: Mapping[str, str]) -> None:
    """Ask host and port `behind` for `path` with the request's method, body and headers and `more` headers; give the
    answer back."""
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOPS}
    connection = http.client.HTTPConnection(behind, timeout=300)
    connection.request(request.command, path, body or None, {**headers, **more})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    request.send_response(answer.status, answer.reason)
    for name, value in answer.getheaders():
        if name.lower() not in HOPS:
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


class Proxy(LoopbackProxy):
    """Passes requests for `hosts` (name to port of loopback) on, and remembers what it is asked for.

    Every other host is an error.
    """

    def __init__(self, hosts: dict[str, int]) -> None:
        super().__init__()
        self.hosts = hosts
        self.asked: list[str] = []
        self.url = f"http://{self.address}"

    def pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """A request in absolute form, RFC 9112."""
        address = urlsplit(request.path)
        self.asked.append(address.hostname or "")
        if address.hostname not in self.hosts:
            request.send_error(502, f"this proxy knows no {address.hostname}")
            return
        relay(request, body, f"127.0.0.1:{self.hosts[address.hostname]}", address.path, {"Host": address.netloc})
