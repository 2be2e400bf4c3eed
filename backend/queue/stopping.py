# mypy: disable-error-code="no-untyped-call"
"""A worker that ends when it is asked to, whatever it is doing.

RQ raises StopRequested wherever a worker without a job happens to be. A library that tidies up may swallow it, as
SQLAlchemy does when it takes back a connection, and the worker would never end.
"""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from types import FrameType

from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job


class StoppableWorker(Worker):
    """Raises StopRequested while it waits for a job, and else notes the wish, which RQ's loops then find."""

    stop_requested = False  # everything else that ends it is a fault
    _waits = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """On the first signal; another one ends the job that runs."""
        self.stop_requested = self._stop_requested = True
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.request_force_stop)
        self._shutdown_requested_date = datetime.now(UTC)
        self.handle_warm_shutdown_request()
        self._stop_if_waiting()

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job. A worker that should end asks for none."""
        self._waits = True
        try:
            self._stop_if_waiting()
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        finally:
            self._waits = False

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Asked wherever RQ's loops begin: that is where a worker which should end finds it out."""
        return self.stop_requested or self.maintenance_due

    def run_maintenance_tasks(self) -> None:
        """Maintain; a stopping worker does not, which would start its scheduler again."""
        waits, self._waits = self._waits, False
        try:
            if not self.stop_requested:
                self.maintain()
        finally:
            self._waits = waits
        self._stop_if_waiting()

    @property
    def maintenance_due(self) -> bool:
        """Whether it is time for it."""
        raise NotImplementedError

    def maintain(self) -> None:
        """RQ's own maintenance, and more."""
        super().run_maintenance_tasks()

    def _stop_if_waiting(self) -> None:
        if self.stop_requested and self._waits:
            raise StopRequested
