"""Bring Label Studio in line with the pool: rows, then the served version, then the connection's title.

A new version goes this way with the rows that Label Studio needs first; storing all of a large project takes minutes,
and meanwhile /predict answers for the others. They follow in slices, which give way to a training and to what it
brings. Every part looks at what is already done, so that the job may be killed anywhere and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from backend.blind import hide
from backend.errors import LabelStudioError, LabelStudioRefused, LabelStudioUnavailable
from backend.jobs.run import Job, run_job
from backend.jobs.waiting import training_waits
from backend.label_studio.client import LabelStudio
from backend.label_studio.control import Control
from backend.label_studio.predictions import Entry, is_valid, shortlist_entry
from backend.pool import candidates, predictions, projects, publishing, tasks, versions
from backend.projects.updates import control_of
from backend.services import label_space, project_options, served_version, teacher_version
from backend.serving import answers, score_column
from backend.serving.predicting import decided, predict_missing
from backend.serving.publishing.people_queue import mark_head
from backend.serving.publishing.pruning import prune
from backend.serving.publishing.settle import settle
from backend.serving.publishing.title import rename_connections

log = structlog.get_logger(__name__)

Row = tuple[int, str, float]  # task, label, probability
Slices = Callable[[Job, str, int], list[Row]]  # the next rows of a version after so many

CHUNK = 500  # rows that go before a version is served, and the least that a request has
LARGEST = 10_000  # rows of a request: about 4 MB
REQUESTS = 8  # for all rows of a project: Label Studio may count all its tasks once per request (docs/how-to.md)
NO_KEY = "LABEL_STUDIO_URL or LABEL_STUDIO_API_KEY is not set: predictions go out only when Label Studio asks for them"


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
        return f"{waiting} is served; {NO_KEY}" if waiting else NO_KEY
    with label_studio:
        settle(job, label_studio)
        served, sent = "", 0
        while waiting or not served:
            if waiting:
                _push_labels(job, label_studio, waiting, _first)
                promote(job, waiting)
            served = served_version(job.services, job.project)
            job.about(served)
            sent += _catch_up(job, label_studio, served)
            waiting = _waiting(job)
    prune(job)
    done = f"Label Studio shows {served}" + (f"; {sent} predictions sent" if sent else "")
    late = not served.startswith("teacher-") and predictions.unpublished(job.services.engine, job.number, served, 1)
    return f"{done}; the rest follows after the training" if late else done


def _catch_up(job: Job, label_studio: LabelStudio, served: str) -> int:
    """Send what Label Studio lacks of the served version, and set the title; the number of rows."""
    if served.startswith("teacher-"):
        sent = _push_candidates(job, label_studio, served)
        rename_connections(job, label_studio, served)
        return sent
    rename_connections(job, label_studio, served)
    mark_head(job, label_studio, served)
    predict_missing(job, served)
    return _push_labels(job, label_studio, served, _next)


def _give_way(job: Job) -> bool:
    return training_waits(job) or any(
        row.state == "publishing" for row in versions.list_versions(job.services.engine, job.number)
    )


def promote(job: Job, version: str) -> None:
    """Serve a version from now on, in all processes: one atomic step in the pool."""
    projects.promote(job.services.engine, job.number, version)
    log.info("promoted", version=version)
    if tasks.without_candidates(job.services.engine, job.number, teacher_version(job.services, job.project), 1):
        job.ask("annotate")  # a paid teacher may be waiting for it: the new student chooses what it is asked next


def _waiting(job: Job) -> str | None:
    """The newest version that is to be promoted and fits the label space; what it overtakes is retired."""
    engine, space = job.services.engine, label_space(job.project)
    found = [row for row in versions.list_versions(engine, job.number) if row.state == "publishing"]
    fitting = [row.version for row in found if row.space_hash == space.hash]
    for row in found:
        if row.version not in fitting[:1]:
            why = "a newer version was ready" if row.version in fitting else "the label config changed"
            versions.set_state(engine, job.number, row.version, "retired", f"never served: {why}")
    return fitting[0] if fitting else None


def _first(job: Job, version: str, sent: int) -> list[Row]:
    """The slice that goes before the version is served."""
    return [] if sent else predictions.least_certain(job.services.engine, job.number, version, CHUNK)


def _next(job: Job, version: str, sent: int) -> list[Row]:
    """One slice after the other, until all are sent or something more urgent waits."""
    if sent and _give_way(job):
        return []
    return predictions.unpublished(job.services.engine, job.number, version, _rows(job))


def _rows(job: Job) -> int:
    """How many rows go in one request of many."""
    return min(max(CHUNK, tasks.count(job.services.engine, job.number) // REQUESTS), LARGEST)


def _push_labels(job: Job, label_studio: LabelStudio, version: str, slices: Slices) -> int:
    """Send a student's labels that Label Studio does not hold yet; the number of rows."""
    control = control_of(job.services, job.project)
    options = project_options(job.services.settings, job.project)
    sent = 0
    done = 0
    while rows := slices(job, version, done):
        known = answers.stored(job.services, job.number, version, options, [task for task, *_ in rows])
        entries = {task: found.entry(control, version, options) for task, (_, found) in known.items()}
        if not entries:
            break  # what is left vanished meanwhile
        sent += push(job, label_studio, control, version, entries)
        done += len(rows)
        job.step(f"sending {version} to Label Studio: {sent} predictions")
    return sent


def _push_candidates(job: Job, label_studio: LabelStudio, version: str) -> int:
    """Send the teacher's candidate sets for tasks that nobody has decided; the number of rows."""
    engine, control = job.services.engine, control_of(job.services, job.project)
    options = project_options(job.services.settings, job.project)
    unsent, done = set(publishing.unsent_candidates(engine, job.number, version)), decided(job)
    publishing.intend(engine, job.number, version, unsent & done)  # on record, so that nobody asks for them again
    publishing.confirm(engine, job.number, version, unsent & done)
    missing = sorted(unsent - done)
    sent, size = 0, _rows(job)
    for start in range(0, len(missing), size):
        stored = candidates.read(engine, job.number, version, missing[start : start + size])
        entries = {
            task: shortlist_entry(control, version, row.candidates, options.MAX_CANDIDATES, options.PRESELECT)
            | ({"score": score_column.of_candidates(row.candidates)} if score_column.wanted(options) else {})
            for task, row in stored.items()
            if row.candidates is not None
        }
        sent += push(job, label_studio, control, version, entries)
        job.step(f"sending candidates to Label Studio: {sent} of {len(missing)}", start / len(missing))
    return sent


def push(job: Job, label_studio: LabelStudio, control: Control, version: str, entries: dict[int, Entry]) -> int:
    """Send one chunk exactly once: intent, request, confirmation. Invalid entries stay here; vanished tasks go."""
    engine = job.services.engine
    share = project_options(job.services.settings, job.project).BLIND_SHARE
    shown = hide(entries, job.number, share)
    good = {task: entry for task, entry in shown.items() if not _problem(control, entry, version, task)}
    mine = publishing.intend(engine, job.number, version, list(entries))
    entries = {task: entry for task, entry in entries.items() if task in mine}
    good = {task: entry for task, entry in good.items() if task in mine}
    try:
        created = _import(job, label_studio, version, good)
    except (LabelStudioRefused, LabelStudioUnavailable):
        raise
    except LabelStudioError as error:
        good = _left(job, label_studio, version, good, error)
        created = _import(job, label_studio, version, good)
    if created != len(good):
        held = label_studio.versions_held(job.number, good)
        dropped = [task for task in sorted(good) if version not in held.get(task, [])]
        log.error("Label Studio dropped predictions", version=version, tasks=dropped[:20])
    publishing.confirm(engine, job.number, version, list(entries))
    return created


def _left(
    job: Job, label_studio: LabelStudio, version: str, entries: dict[int, Entry], error: LabelStudioError
) -> dict[int, Entry]:
    """What is still to be sent after Label Studio found fault with a row: perhaps it stored those before it.

    Tasks that vanished leave the pool. If none did, nothing can be sent, and the error is raised again.
    """
    existing = label_studio.task_ids(job.number)
    gone = sorted(set(entries) - existing)
    held = label_studio.versions_held(job.number, set(entries) & existing)
    here = [task for task, versions_here in held.items() if version in versions_here]
    if not gone:
        publishing.confirm(job.services.engine, job.number, version, here)
        publishing.withdraw(job.services.engine, job.number, version, sorted(set(entries) - set(here)))
        raise error
    log.info("tasks vanished", tasks=gone[:20], number=len(gone))
    tasks.remove(job.services.engine, job.number, gone)
    return {task: entry for task, entry in entries.items() if task in existing and task not in here}


def _import(job: Job, label_studio: LabelStudio, version: str, entries: dict[int, Entry]) -> int:
    if not entries:
        return 0
    rows: Sequence[dict[str, Any]] = [{"task": task, **entry} for task, entry in entries.items()]
    try:
        return label_studio.import_predictions(job.number, rows)
    except LabelStudioRefused:  # nothing was stored
        publishing.withdraw(job.services.engine, job.number, version, list(entries))
        raise


def _problem(control: Control, entry: Entry, version: str, task: int) -> str:
    problem = is_valid(control, entry, version)
    if problem:
        log.error("prediction not sent", task=task, version=version, reason=problem)
    return problem
