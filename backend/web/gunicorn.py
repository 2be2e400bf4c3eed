"""gunicorn's worker with threads, which clients that are slow to ask cannot occupy.

gunicorn hands a connection to a thread as soon as it is open, and the thread then waits for the request's head as long
as it takes: sixteen connections that never ask, of a scanner or a broken network, and nobody else was answered. Here a
thread takes a request whose head is there. Few threads at a time wait for the rest of one, and not for long. And a
connection is closed by the thread that had it: the main thread, which accepts all others, would wait up to two seconds
for each client that does not hang up.
"""

from __future__ import annotations

import socket
import time
from threading import BoundedSemaphore
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from backend.logs import configure_logs
from backend.settings import load_settings

SLOW_THREADS = 4  # may wait for the rest of a head at the same time
PATIENCE_SECONDS = 5.0  # for the rest of a head
SOON_SECONDS = 0.02  # a head that does not begin within this time waits for its first byte without a thread
LARGEST_HEAD = 65_536  # bytes; nobody sends so much by mistake
END = b"\r\n\r\n"


class Worker(ThreadWorker):  # type: ignore[misc]
    """Looks whether the head of a request is there before a thread reads it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._slow = BoundedSemaphore(SLOW_THREADS)

    def handle(self, conn: Any) -> Any:
        """Called in a thread. False: the connection is over; what is deferred comes back with its first byte."""
        kept = self._handle(conn)
        if kept is False:
            _close(conn, graceful=True)
        return kept

    def _handle(self, conn: Any) -> Any:
        if self.cfg.is_ssl or conn.is_http2 or _buffered(conn):
            return super().handle(conn)
        if not conn.initialized and not conn.data_ready and not conn.wait_for_data(SOON_SECONDS):
            return _DEFER
        if _head_is_there(conn.sock) or self._rest_arrives(conn.sock):
            return super().handle(conn)
        self.log.debug("Closed a connection whose request did not arrive")
        _close(conn, graceful=False)
        return False

    def _rest_arrives(self, sock: socket.socket) -> bool:
        if not self._slow.acquire(blocking=False):
            return False
        try:
            end = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < end:
                time.sleep(SOON_SECONDS)
                if _head_is_there(sock):
                    return True
            return False
        finally:
            self._slow.release()


def _close(conn: Any, graceful: bool) -> None:
    """Once: the main thread will want to close it, too."""
    conn.close(graceful=graceful)
    conn.close = lambda graceful=False: None


def _head_is_there(sock: socket.socket) -> bool:
    """Whether all of a request's head has arrived, or the client has gone, which the parser notices."""
    try:
        begun = sock.recv(LARGEST_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return not begun or END in begun


def _buffered(conn: Any) -> bool:
    """Whether the parser has read beyond the last request already."""
    unreader = getattr(conn.parser, "unreader", None)
    return unreader is not None and bool(unreader.buf.getvalue())


class Logs(Logger):  # type: ignore[misc]
    """Hands what gunicorn has to say to the root logger, in the parent process as well as in the one that answers."""

    def setup(self, cfg: Any) -> None:
        """gunicorn calls this once per process."""
        super().setup(cfg)
        configure_logs(load_settings())
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
