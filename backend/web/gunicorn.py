"""gunicorn's worker with threads, which clients that are slow to ask, or never finish asking, cannot occupy.

gunicorn hands a connection to a thread as soon as it is open, and the thread then waits for the request's head and
body as long as it takes: sixteen clients that stop in the middle, a scanner or a broken network, and nobody else is
answered. Here a thread waits for a tenth of a second; beyond that only a few of them at a time, and not for long. A
connection is closed by the thread that had it: the main thread, which accepts all others, would wait for each client
that does not hang up.
"""

from __future__ import annotations

import socket
import time
from threading import BoundedSemaphore
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http.errors import NoMoreData
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from backend.logs import configure_logs
from backend.settings import load_settings

SOON_SECONDS = 0.02  # a request that does not begin within this time waits for its first byte without a thread
FREE_SECONDS = 0.1  # every thread may wait so long for one request
SLOW_THREADS = 8  # may wait for longer at the same time
PATIENCE_SECONDS = 5.0  # for one request in all
SLOWEST = 100_000  # bytes per second: who sends so fast is waited for beyond that
SEND_SECONDS = 60.0  # an answer that its client does not take is given up
LARGEST_REST = 8 * 2**20  # bytes of a body that nobody wants, taken so that its sender reads the answer


class Late(NoMoreData, TimeoutError):  # type: ignore[misc]
    """The rest of a request did not arrive in time."""


class PatientReader(SocketUnreader):  # type: ignore[misc]
    """What gunicorn reads requests from. One request after the other; `begin` starts the next one's time."""

    def __init__(self, sock: socket.socket, places: BoundedSemaphore) -> None:
        super().__init__(sock)
        self._places = places
        self.begin()

    def begin(self) -> None:
        """A request begins."""
        self._waited, self._received, self._over = 0.0, 0, False

    def end(self) -> None:
        """The request is answered: what has not arrived of its body is not waited for."""
        self._over = True

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes; Late if they do not come in time, and ever after."""
        size = min(max(size_hint or 0, self.mxchunk), self.max_body_chunk)
        found = self._within(size, 0.0 if self._over else max(0.0, FREE_SECONDS - self._waited))
        if found is None and not self._over and self._places.acquire(blocking=False):
            try:
                found = self._within(size, PATIENCE_SECONDS + self._received / SLOWEST - self._waited)
            finally:
                self._places.release()
        if found is None:
            self._over = True
            raise Late
        self._received += len(found)
        return found

    def _within(self, size: int, seconds: float) -> bytes | None:
        started = time.monotonic()
        try:
            self.sock.settimeout(max(seconds, 0.0))
            return bytes(self.sock.recv(size))
        except (TimeoutError, BlockingIOError):
            return None
        finally:
            self._waited += time.monotonic() - started
            self.sock.settimeout(SEND_SECONDS)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Reads requests through a PatientReader."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._places = BoundedSemaphore(SLOW_THREADS)

    def handle(self, conn: Any) -> Any:
        """Called in a thread. False: the connection is over; what is deferred comes back with its first byte."""
        if not conn.initialized:
            if not conn.data_ready and not conn.wait_for_data(SOON_SECONDS):
                return _DEFER
            conn.init()
            conn.parser.unreader = PatientReader(conn.sock, self._places)
        conn.parser.unreader.begin()
        kept = super().handle(conn)
        if kept is False:
            self._close(conn)
        return kept

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection is kept: only if the whole request was sent."""
        conn.parser.unreader.end()
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except Late:
            return False

    def _close(self, conn: Any) -> None:
        """Once: the main thread will want to close it, too. Who still sends is listened to for a moment, because many
        clients read an answer only then."""
        patient = self._places.acquire(blocking=False)
        try:
            conn.sock.setblocking(True)
            util.close_graceful(conn.sock, timeout=2.0 if patient else FREE_SECONDS, max_drain=LARGEST_REST)
        except OSError:
            conn.sock.close()
        finally:
            if patient:
                self._places.release()
        conn.close = lambda graceful=False: None


class Logs(Logger):  # type: ignore[misc]
    """Hands what gunicorn has to say to the root logger, in the parent process as well as in the one that answers."""

    def setup(self, cfg: Any) -> None:
        """gunicorn calls this once per process."""
        super().setup(cfg)
        configure_logs(load_settings())
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
