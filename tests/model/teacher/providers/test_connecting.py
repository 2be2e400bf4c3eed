"""What cannot get better is refused at once, with its cause and the setting; what may pass is told with its cause."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from model.teacher.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.teacher.prompting.composing import Composer
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers.openai import OpenAIProvider
from tests.support.certificates import private_certificate
from tests.support.ports import free_port
from tests.support.vendors import KEY, PRICE, SPACE


class Quiet(BaseHTTPRequestHandler):
    """Answers nothing of interest."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(params=["plain", "tls"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A server that speaks plain HTTP or TLS, and its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    if request.param == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*private_certificate(tmp_path))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield request.param, server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def failing(address: str, retries: int = 4) -> TeacherError:
    provider = OpenAIProvider("m", KEY, PRICE, address, max_retries=retries)
    with pytest.raises(TeacherError) as caught:
        provider.complete(Composer(Prompt(SPACE, Strategy.ALL, 2)).requests(["spam"])[0])
    return caught.value


def test_tls_and_plain_http_are_told_apart(place: tuple[str, int]) -> None:
    kind, port = place
    secure, plain = failing(f"https://127.0.0.1:{port}/v1"), failing(f"http://127.0.0.1:{port}/v1", retries=0)
    assert isinstance(secure, TeacherRefused)
    assert "OPENAI_BASE_URL" in str(secure)
    if kind == "tls":
        assert "certificate that is not trusted" in str(secure)
        assert "SSL_CERT_FILE" in str(secure)
        assert isinstance(plain, TeacherRefused)
        assert f"https://127.0.0.1:{port}" in str(plain)
    else:
        assert f"write http://127.0.0.1:{port}" in str(secure)


def test_a_closed_port_may_open() -> None:
    error = failing(f"http://127.0.0.1:{free_port()}/v1", retries=0)
    assert isinstance(error, TeacherUnavailable)
    assert "refused" in str(error)


@pytest.mark.parametrize("key", ["“sk-abc”", "sk-äöü", "sk-abc\n"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    with pytest.raises(TeacherRefused, match="OPENAI_API_KEY") as caught:
        OpenAIProvider("m", key, PRICE, "http://127.0.0.1:9/v1")
    assert key not in str(caught.value)
