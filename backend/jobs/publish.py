"""Bring Label Studio in line with the pool: rows, then the served version, then the connection's title.

A new version goes this way with the rows that Label Studio needs first; storing all of a large project takes minutes,
and meanwhile /predict answers for the others. They follow in slices, which give way to a training and to what it
brings. Every part looks at what is already done, so that the job may be killed anywhere and run again.
"""

from __future__ import annotations

import structlog

from backend.jobs.run import run_job
from backend.jobs.shards import Shards
from backend.label_studio.client import LabelStudio
from backend.pool import predictions, projects, tasks, version_names, versions
from backend.projects.current import Current
from backend.projects.job import Job
from backend.projects.on_screen import instead, is_ours, remember_on_screen
from backend.serving.predicting import predict_missing
from backend.serving.publishing.clearing import due, is_full, look
from backend.serving.publishing.people_queue import mark_head
from backend.serving.publishing.promise import proceed
from backend.serving.publishing.pruning import prune
from backend.serving.publishing.push import first_slice, next_slice, push_candidates, push_labels
from backend.serving.publishing.settle import settle, take_back
from backend.serving.publishing.title import rename_connections

log = structlog.get_logger(__name__)


LATER_SECONDS = 60.0
ALONE = "predictions go out only when Label Studio asks for them"


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("publish", project, work)


def work(job: Job) -> str:
    """Push and promote the newest version that waits, then whatever else Label Studio lacks."""
    waiting = _waiting(job)
    label_studio = job.label_studio()
    if label_studio is None:
        if waiting:
            promote(job, waiting)
            prune(job)
        _all_answered(job, job.current.served_version)
        alone = f"{job.lack}: {ALONE}"
        return f"{waiting} is served; {alone}" if waiting else alone
    with label_studio:
        settle(job, label_studio)
        take_back(job, label_studio)
        served, sent = "", 0
        while waiting or not served:
            if waiting:
                push_labels(job, label_studio, waiting, first_slice)
                promote(job, waiting)
            served = job.current.served_version
            job.about(served)
            sent += _catch_up(job, label_studio, served)
            waiting = _waiting(job)
        now = remember_on_screen(job.current, label_studio.project(job.label_studio_id))
    prune(job)
    look(job.current)
    if due(job.current):
        job.ask_once("clear")
    told = f"Label Studio shows {served}" if is_ours(now, served) else _instead(now, served)
    done = told + (f"; {sent} predictions sent" if sent else "")
    late = not version_names.is_teacher(served) and predictions.unpublished(job.services.engine, job.number, served, 1)
    if not late:
        return done
    first = "older predictions are gone" if is_full(job.current) else "the training has ended"
    return f"{done}; the rest follows once {first}"


def _instead(now: Current, served: str) -> str:
    return instead(now.project.label_studio_id, now.project.on_screen or "", served)


def _catch_up(job: Job, label_studio: LabelStudio, served: str) -> int:
    """Send what Label Studio lacks of the served version, and set the title; the number of rows."""
    if version_names.is_teacher(served):
        sent = push_candidates(job, label_studio, served)
        rename_connections(job, label_studio, served)
        return sent
    rename_connections(job, label_studio, served)
    mark_head(job, label_studio, served)
    if _all_answered(job, served):
        proceed(job, label_studio, served)
    sent = push_labels(job, label_studio, served, next_slice)
    mark_head(job, label_studio, served)  # once more: an audit is asked for by rank, wherever its answers stand
    return sent


def _all_answered(job: Job, served: str) -> bool:
    """Have the served student answer what it has not; whether it has come to the end. If a training came first, this
    job goes on later: the training may bring nothing that is served."""
    if version_names.is_teacher(served) or predict_missing(job, served, spread=Shards(job, "predict").spread):
        return True
    job.ask_later(LATER_SECONDS)
    return False


def promote(job: Job, version: str) -> None:
    """Serve a version from now on, in all processes: one atomic step in the pool."""
    projects.promote(job.services.engine, job.number, version)
    log.info("promoted", version=version)
    if tasks.without_candidates(job.services.engine, job.number, job.current.teacher_version, 1):
        job.ask("annotate")  # a paid teacher may be waiting for it: the new student chooses what it is asked next


def _waiting(job: Job) -> str | None:
    """The newest version that is to be promoted and fits the label space; what it overtakes is retired."""
    engine, space = job.services.engine, job.current.space
    found = [row for row in versions.list_versions(engine, job.number) if row.state == "publishing"]
    fitting = [row.version for row in found if row.space_hash == space.hash]
    for row in found:
        if row.version not in fitting[:1]:
            why = "a newer version was ready" if row.version in fitting else "the label config changed"
            versions.set_state(engine, job.number, row.version, "retired", f"never served: {why}")
    return fitting[0] if fitting else None
