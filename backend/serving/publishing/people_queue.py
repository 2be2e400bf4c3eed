"""The head of the people's queue in Label Studio: the tasks that the acquisition rule chooses get their own cluster.

Label Studio's uncertainty sampling serves the cluster first of which a person has solved the fewest tasks, and in it
the lowest score. What has no cluster counts as one cluster, too. So the head, with a number that was never used, comes
first until as many of its tasks are solved as of any other cluster; a new student makes a new head. A fifth of it is
drawn at random, and the pool keeps which and with what chance. Where a promise about the finished pool is asked for,
the random part is its audit, by rank; once the promise is made, the head is what people must still see.
"""

from __future__ import annotations

import math
import random

import structlog

from backend.label_studio.client import LabelStudio
from backend.pool import acquisition, promises, tasks, version_names, versions
from backend.pool.acquisition import Queue
from backend.pool.annotations import decided, human_labels
from backend.pool.certified import to_see
from backend.pool.promises import Promise
from backend.projects.job import Job
from backend.projects.stream import UNCERTAINTY
from backend.serving import score_column
from backend.serving.publishing.by_query import by_query
from backend.teacher.acquisition import PEOPLE_QUEUE, choose
from backend.training.encoder import project_embedder

log = structlog.get_logger(__name__)

SMALLEST = 20  # tasks of a head
RANDOM_SHARE = 0.2  # of a head
PAGE = 10  # tasks after which it is written down how many Label Studio knows


def mark_head(job: Job, label_studio: LabelStudio, version: str) -> int:
    """Tell Label Studio the head of the queue that the served student makes; how many tasks were told now.

    Only where the score column carries acquisition scores, or a promise is asked for, and Label Studio sorts by score.
    Goes on where a killed run was.
    """
    promised = promises.get(job.services.engine, job.number) is not None
    if not version_names.is_trained(version) or not (score_column.wanted(job.current.options) or promised):
        return 0
    if promises.is_due(job.services.engine, job.number):
        return 0  # the audit is looked at first
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
    """The tasks that people should decide next, as many as the next training waits for; made once per version, and anew
    after each look at an audit."""
    engine = job.services.engine
    known = acquisition.line(engine, job.number, "people")
    if known is not None and known.version == version and not promises.nothing_is_asked(engine, job.number):
        return known
    promise = promises.get(engine, job.number)
    if promise is not None and promise.state == "auditing":
        line = _audit(job, version, promise)
    else:
        line = to_see(engine, job.number)[:PEOPLE_QUEUE] if job.current.options.TARGET_ERROR > 0 else []
    if not line and (promise is None or promise.state not in promises.OPEN):
        line = _chosen_and_drawn(job, version)
    acquisition.line_up(engine, job.number, "people", version, line)
    return Queue(version, tuple(line), 0)


def _chosen_and_drawn(job: Job, version: str) -> list[int]:
    engine, count = job.services.engine, _count(job)
    eligible = sorted(set(tasks.all_ids(engine, job.number)) - decided(engine, job.number))
    drawn = random.Random(f"{job.number}:{version}:drawn").sample(eligible, min(len(eligible), _blindly(count)))
    others = sorted(set(eligible) - set(drawn))
    chosen = choose(job.current, version, project_embedder(job.current), count - len(drawn), others)
    chosen = by_query(job.current, chosen, others)
    chance = len(drawn) / max(1, len(eligible))
    acquisition.ask_people(engine, job.number, version, dict.fromkeys(chosen, 0.0) | dict.fromkeys(drawn, chance))
    return [*chosen, *drawn]


def _audit(job: Job, version: str, promise: Promise) -> list[int]:
    """What the audit still asks for, by rank, and what the rule chooses before the next look, whatever its rank and
    whether it was audited or not: that leaves the audit. The next are chosen once people have decided these."""
    engine = job.services.engine
    labels = human_labels(engine, job.number)
    asked = promises.asked_for(engine, job.number)[:PEOPLE_QUEUE]
    waiting, missing = promises.unpicked(engine, promise)
    if waiting or not missing:
        return asked
    outside, seen = promises.chosen_tasks(engine, job.number)
    hidden = promises.withheld(engine, job.number, labels)
    eligible = [task for task in tasks.all_ids(engine, job.number) if task not in outside | seen]
    eligible = [task for task in eligible if task not in labels or task in hidden]
    number = min(missing, _count(job))
    chosen = choose(job.current, version, project_embedder(job.current), number, eligible)
    chosen = by_query(job.current, chosen, eligible)
    if len(chosen) < number:  # all that is left says what a chosen one says
        known = set(chosen)
        chosen += [task for task in eligible if task not in known][: number - len(chosen)]
    promises.choose(engine, job.number, chosen)
    acquisition.ask_people(engine, job.number, version, dict.fromkeys(chosen, 0.0))
    others = [task for task in asked if task not in chosen]
    return [*(task for task in chosen if task not in labels), *others]


def _count(job: Job) -> int:
    waits_for = job.current.options.RETRAIN_AFTER or PEOPLE_QUEUE
    return min(PEOPLE_QUEUE, max(SMALLEST, waits_for))


def _blindly(count: int) -> int:
    """How many tasks of a head are drawn at random: labels that scores chose do not tell how frequent labels are."""
    return math.ceil(RANDOM_SHARE * count)
