"""The authorities whose certificates connections of this process trust: they are read once, which takes 20 ms of the
processor, and not for every client."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext

NAMES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # what the HTTP libraries and OpenSSL read


def trusted(read: Callable[[], SSLContext]) -> SSLContext:
    """What `read`, `create_ssl_context` of an HTTP library, finds; it is asked again when another file or folder is
    named, or what is named has changed."""
    return _found(read, tuple(_seen(os.environ.get(name)) for name in NAMES))


@lru_cache(maxsize=8)
def _found(read: Callable[[], SSLContext], _named: tuple[object, ...]) -> SSLContext:
    return read()


def _seen(named: str | None) -> tuple[str | None, int]:
    place = Path(named) if named else None
    return named, place.stat().st_mtime_ns if place and place.exists() else 0
