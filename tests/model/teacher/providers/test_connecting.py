"""What cannot get better is refused at once, with its cause and the setting; what may pass is told with its cause."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from model.teacher.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.teacher.prompting.composing import Composer
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers.openai import OpenAIProvider
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


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of nobody's authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(params=["plain", "tls"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A server that speaks plain HTTP or TLS, and its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    if request.param == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(tmp_path))
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
