# mypy: disable-error-code="no-untyped-call"
"""A worker that has something to do while no job waits, such as loading what later jobs need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rq import Queue
from rq.job import Job

from backend.queue.stopping import StoppableWorker

Things: TypeAlias = list[Callable[[], None]]


class SpareTimeWorker(StoppableWorker):
    """Does each thing of `spare_time` once, one after the other: while no job waits, and one of them between two jobs.

    All in one thread: a job is forked from this process, and must find nothing half done.
    """

    spare_time: Things | None = None
    _served = False

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job. A burst, which has no `timeout`, has no spare time."""
        while self.spare_time and timeout is not None and not self.stop_requested:
            if not self._served and (found := super().dequeue_job_and_maintain_ttl(None, max_idle_time)) is not None:
                self._served = True
                return found
            self._served = False
            self.spare_time.pop(0)()
        return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
