"""Why no connection comes about: what passes by itself, and what a person has to change."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from model.teacher.errors import TeacherRefused

LOGIN = re.compile(r"//[^/@\s]*@")  # in an address
CERTIFICATE = (
    "set SSL_CERT_FILE to a file with the certificate of its authority (PEM), or use an address that it is for"
)
NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
TLS_ANSWER = re.compile(r"illegal (status line|header)|\\x15\\x03|bytearray\(b'\\x1[56]", re.IGNORECASE)


def hopeless(error: BaseException, address: str) -> TeacherRefused | None:
    """What a person has to change, if the error can never pass; None otherwise. `address` loses its login."""
    place, causes = shown(address), list(chain(error))
    said = " ".join(f"{type(one).__name__}: {one}" for one in causes)
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes) or "CERTIFICATE_VERIFY_FAILED" in said:
        return TeacherRefused(
            f"{place} shows a certificate that is not trusted here ({_reason(causes)}): {CERTIFICATE}"
        )
    if any(name in said for name in NO_TLS):
        plain = place.replace("https://", "http://", 1)
        return TeacherRefused(f"{place} speaks no TLS: it answers in plain HTTP. Write {_origin(plain)} in its setting")
    if "SSLV3_ALERT" in said or "TLSV1_ALERT" in said or "TLSV13_ALERT" in said:
        return TeacherRefused(
            f"{place} refuses the TLS connection ({_reason(causes)}); it may want a client certificate"
        )
    if place.startswith("http://") and TLS_ANSWER.search(said):
        secure = place.replace("http://", "https://", 1)
        return TeacherRefused(f"{place} does not answer in plain HTTP. Is it {_origin(secure)} that is meant?")
    names = {type(one).__name__ for one in causes}
    if names & {"UnicodeEncodeError", "LocalProtocolError"}:
        return TeacherRefused(
            f"the request to {place} holds characters that no HTTP header can carry, as a rule in the key: write it "
            "anew, without quotation marks and line breaks"
        )
    if names & {"UnsupportedProtocol", "InvalidURL"}:
        return TeacherRefused(f"{place} is no address that can be asked: {_reason(causes)}")
    return None


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


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
