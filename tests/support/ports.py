"""Ports for the servers that tests start: each is given away once, to one test process."""

from __future__ import annotations

import errno
import itertools
import os
import socket

HOST = "127.0.0.1"
FIRST, LAST = 20_000, 32_000  # below what Linux gives to those who ask for any port or connect to others
STEP = 4_001  # a prime: processes that start together look at different places
_numbers = itertools.count()


def free_port() -> int:
    """A port of loopback on which nobody listens, and which no other test process will be given while this one lives.

    A port that is merely free at the moment is anybody's until the server has started, seconds later, and again between
    a kill and the next start. Who has bound a number for UDP has reserved it: the kernel lets nobody else do so, and
    forgets it with the process. OSError if there is none.
    """
    for _ in range(LAST - FIRST):
        port = FIRST + (os.getpid() * STEP + next(_numbers)) % (LAST - FIRST)
        if _reserve(port):
            return port
    raise OSError(errno.EADDRINUSE, f"no port between {FIRST} and {LAST} is free")


def _reserve(port: int) -> bool:
    reserved = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        reserved.bind((HOST, port))
        socket.create_server((HOST, port)).close()
    except OSError:
        reserved.close()
        return False
    reserved.detach()  # stays bound until the process ends
    return True
