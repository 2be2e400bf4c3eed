"""Why no connection comes about: what passes by itself, and what a person has to change."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from model.teacher.errors import TeacherRefused

HANDSHAKE_SECONDS = 2.0
LOGIN = re.compile(r"//[^/@\s]*@")  # in an address
CERTIFICATE = "set SSL_CERT_FILE to a file with its authority's certificate (PEM), or use an address that it is for"
NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
TLS_ANSWER = re.compile(r"illegal (status line|header)|\\x15\\x03|bytearray\(b'\\x1[56]", re.IGNORECASE)


def hopeless(error: BaseException, address: str) -> TeacherRefused | None:
    """What a person has to change, if the error can never pass; None otherwise. `address` loses its login."""
    told = advice(error, address)
    return TeacherRefused(told) if told else None


def advice(error: BaseException, address: str) -> str:
    """The same as a sentence; "" for an error that may pass."""
    place, causes = shown(address), list(chain(error))
    reason = _reason(causes)
    names = {type(one).__name__ for one in causes}
    said = " ".join(f"{type(one).__name__}: {one}" for one in causes)
    told = ""
    if "SSLCertVerificationError" in names or "CERTIFICATE_VERIFY_FAILED" in said:
        told = f"{place} shows a certificate that is not trusted here ({reason}): {CERTIFICATE}"
    elif any(name in said for name in NO_TLS):
        told = f"{place} speaks no TLS, it answers in plain HTTP: write {_origin(place, 'http')} in its setting"
    elif re.search(r"(SSLV3|TLSV1|TLSV13)_ALERT", said):
        told = f"{place} refuses the TLS connection ({reason}); it may want a certificate from its clients"
    elif place.startswith("http://") and (TLS_ANSWER.search(said) or (_cut(names) and speaks_tls(place))):
        told = f"{place} does not answer in plain HTTP: is it {_origin(place, 'https')} that is meant?"
    elif names & {"UnicodeEncodeError", "LocalProtocolError"}:
        told = f"the request to {place} holds characters that no HTTP header can carry, as a rule in the key"
    elif names & {"UnsupportedProtocol", "InvalidURL"}:
        told = f"{place} is no address that can be asked: {reason}"
    return told


def speaks_tls(address: str) -> bool:
    """Whether TLS is spoken at an address, whatever its certificate: its server hangs up on plain HTTP."""
    parts = urlsplit(address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), HANDSHAKE_SECONDS) as plain:
            context.wrap_socket(plain, server_hostname=parts.hostname).close()
    except (OSError, ValueError):
        return False
    return True


def _cut(names: set[str]) -> bool:
    """Whether a connection came about and was closed without an answer."""
    return bool(names & {"RemoteProtocolError", "ReadError"})


def cause(error: BaseException) -> str:
    """The innermost reason in words, where the outer one is only "Connection error."."""
    texts = [str(one) for one in chain(error) if str(one)]
    return texts[-1] if texts else type(error).__name__


def shown(address: str) -> str:
    """An address without its login and without what is asked there."""
    return LOGIN.sub("//", address)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and everything that it came from."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _reason(causes: list[BaseException]) -> str:
    texts = [str(one) for one in causes if str(one)]
    said = texts[-1] if texts else type(causes[-1]).__name__
    return re.sub(r"^\[[^\]]*\]\s*|\s*\(_ssl\.c:\d+\)$", "", said)[:200]


def _origin(address: str, scheme: str) -> str:
    return f"{scheme}://{urlsplit(address).netloc}"
