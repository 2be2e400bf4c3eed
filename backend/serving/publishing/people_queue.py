"""The head of the people's queue in Label Studio: the tasks that the acquisition rule chooses get their own cluster.

Label Studio's uncertainty sampling serves the cluster first of which a person has solved the fewest tasks, and in it
the lowest score. What has no cluster counts as one cluster, too. So the head, with a number that was never used, comes
first until as many of its tasks are solved as of any other cluster; a new student makes a new head.
"""

from __future__ import annotations

import structlog

from backend.label_studio.client import LabelStudio
from backend.pool import acquisition, tasks, version_names, versions
from backend.pool.acquisition import Queue
from backend.pool.annotations import decided
from backend.projects.job import Job
from backend.serving import score_column
from backend.teacher.acquisition import PEOPLE_QUEUE, choose
from backend.training.encoder import project_embedder

log = structlog.get_logger(__name__)

UNCERTAINTY = "Uncertainty sampling"
SMALLEST = 20  # tasks of a head
PAGE = 10  # tasks after which it is written down how many Label Studio knows


def mark_head(job: Job, label_studio: LabelStudio, version: str) -> int:
    """Tell Label Studio the head of the queue that the served student makes; how many tasks were told now.

    Only where the score column carries acquisition scores and Label Studio sorts by it. Goes on where a killed run was.
    """
    if not version_names.is_trained(version) or not score_column.wanted(job.current.options):
        return 0
    row = versions.get(job.services.engine, job.number, version)
    queue = head(job, version)
    if row is None or queue.done >= len(queue.tasks):
        return 0
    if label_studio.project(job.label_studio_id).get("sampling") != UNCERTAINTY:
        return 0
    told = 0
    for place in range(queue.done, len(queue.tasks), PAGE):
        for task in queue.tasks[place : place + PAGE]:
            told += label_studio.set_cluster(task, version, row.number)
        acquisition.mark_done(job.services.engine, job.number, "people", version, place + PAGE)
        job.step(f"marking the tasks that people decide next: {place + PAGE} of {len(queue.tasks)}")
    log.info("head of the queue marked", version=version, tasks=told)
    return told


def head(job: Job, version: str) -> Queue:
    """The tasks that people should decide next, as many as the next training waits for; made once per version."""
    engine = job.services.engine
    known = acquisition.line(engine, job.number, "people")
    if known is not None and known.version == version:
        return known
    waits_for = job.current.options.RETRAIN_AFTER or PEOPLE_QUEUE
    count = min(PEOPLE_QUEUE, max(SMALLEST, waits_for))
    eligible = sorted(set(tasks.all_ids(engine, job.number)) - decided(job.services.engine, job.number))
    chosen = choose(job.current, version, project_embedder(job.current), count, eligible)
    acquisition.line_up(engine, job.number, "people", version, chosen)
    return Queue(version, tuple(chosen), 0)
