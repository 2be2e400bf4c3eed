"""A real HTTP proxy on loopback: it remembers what it is asked for, and knows where invented hosts are."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOPS = ("proxy-connection", "connection", "keep-alive", "transfer-encoding", "host")


class Proxy:
    """Passes requests for `hosts` (name to port of loopback) on; every other host is an error."""

    def __init__(self, hosts: dict[str, int]) -> None:
        self.hosts = hosts
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            """One request in absolute form, RFC 9112."""

            def do_GET(self) -> None:
                proxy.pass_on(self)

            def do_POST(self) -> None:
                proxy.pass_on(self)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def pass_on(self, request: BaseHTTPRequestHandler) -> None:
        """Ask the server behind, and give its answer back."""
        address = urlsplit(request.path)
        self.asked.append(address.hostname or "")
        if address.hostname not in self.hosts:
            request.send_error(502, f"this proxy knows no {address.hostname}")
            return
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOPS}
        behind = http.client.HTTPConnection("127.0.0.1", self.hosts[address.hostname], timeout=60)
        behind.request(request.command, address.path, body, {**headers, "Host": address.netloc})
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in (*HOPS, "content-length"):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
