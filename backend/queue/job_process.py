# mypy: disable-error-code="no-untyped-call"
"""The process of one job where it is started anew: `python -m backend.queue.job_process WORKER QUEUE JOB EXECUTION`."""

from __future__ import annotations

import sys

from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from backend.logs import configure_logs
from backend.pool.database.engine import open_engine
from backend.queue.job_queue import JobQueue
from backend.queue.worker import JobWorker
from backend.settings import load_settings


def main(worker: str, queue: str, job: str, execution: str) -> None:
    """Run the job for its worker, in the place of a forked process; it ends there."""
    settings = load_settings()
    configure_logs(settings)
    engine = open_engine(settings.database_url)
    runner = JobWorker(JobQueue(settings.REDIS_URL, engine, patient=True), (queue,), process_of=worker)
    engine.dispose()
    found = Job.fetch(job, connection=runner.connection, serializer=JSONSerializer)
    runner.execution = Execution.fetch(execution, job, connection=runner.connection)
    runner.main_work_horse(found, runner.queues[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
