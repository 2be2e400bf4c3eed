"""Ports: is one free, and which one is."""

from __future__ import annotations

import errno
import socket

from backend.errors import StartError


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


def require_free(host: str, port: int, setting: str, what: str) -> None:
    """StartError that names the port and the setting if somebody else listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        other = f"choose another with {setting}=<port>"
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"port {port} ({what}) is taken by another program; stop it or {other}") from None
        if error.errno == errno.EACCES:
            raise StartError(f"port {port} ({what}) may not be used by this user; {other}") from None
        raise StartError(f"cannot listen on {host}, port {port} ({what}): {error.strerror or error}") from None
