"""What RQ keeps of the runs of a job, cleared where it is left over."""

from __future__ import annotations

from rq.executions import Execution
from rq.job import Job


def forget_dead_executions(job: Job) -> None:
    """Clear the list of a job's executions of those whose record is gone or only half there.

    RQ (2.12) keeps the entry of a killed worker's execution a minute longer than the record it points to, and meanwhile
    cannot delete the job: the next run would end well and be taken for failed. A worker that gives a sign of life at
    the very moment at which its job ends leaves a record that holds nothing but that sign, and no run could begin for
    twenty seconds.
    """
    registry = job.execution_registry
    for execution in registry.get_execution_ids():
        try:
            Execution.fetch(execution, job.id, connection=job.connection)
        except (ValueError, KeyError):
            job.connection.zrem(registry.key, execution)
