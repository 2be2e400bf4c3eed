"""Pushing predictions into Label Studio, in slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from backend.errors import LabelStudioError, LabelStudioRefused, LabelStudioUnavailable
from backend.label_studio.client import LabelStudio
from backend.label_studio.control import Control
from backend.label_studio.predictions import Entry, is_valid, shortlist_entry
from backend.pool import candidates, predictions, publishing, tasks, versions
from backend.pool.annotations import decided
from backend.pool.standing import about
from backend.project_options import ProjectOptions
from backend.projects.job import Job
from backend.serving import answers, score_column
from backend.serving.answers import hide
from backend.serving.publishing.clearing import is_full
from model.labels import CandidateSet

log = structlog.get_logger(__name__)

Row = tuple[int, str, float]  # task, label, probability
Slices = Callable[[Job, str, int], list[Row]]  # the next rows of a version after so many
CHUNK = 500  # rows that go before a version is served, and the least that a request has
LARGEST = 10_000  # rows of a request: about 4 MB
REQUESTS = 8  # for all rows of a project: Label Studio may count all its tasks once per request (docs/how-to.md)


def _give_way(job: Job) -> bool:
    return job.services.queue.waits("train", job.number) or any(
        row.state == "publishing" for row in versions.list_versions(job.services.engine, job.number)
    )


def first_slice(job: Job, version: str, sent: int) -> list[Row]:
    """The slice that goes before the version is served."""
    return [] if sent else predictions.least_certain(job.services.engine, job.number, version, CHUNK)


def next_slice(job: Job, version: str, sent: int) -> list[Row]:
    """One slice after the other, until all are sent or something more urgent waits."""
    if (sent and _give_way(job)) or is_full(job.current):
        return []
    return predictions.unpublished(job.services.engine, job.number, version, _rows(job))


def _rows(job: Job) -> int:
    """How many rows go in one request of many."""
    return min(max(CHUNK, tasks.count(job.services.engine, job.number) // REQUESTS), LARGEST)


def push_labels(job: Job, label_studio: LabelStudio, version: str, slices: Slices) -> int:
    """Send a student's labels that Label Studio does not hold yet; the number of rows."""
    control = job.current.control
    options = job.current.options
    sent = 0
    done = 0
    while rows := slices(job, version, done):
        ids = [task for task, *_ in rows]
        stored = answers.stored(job.services, job.number, version, options, ids, job.current.space.several)
        known = about(stored, tasks.hashes(job.services.engine, job.number, ids))
        entries = {task: found.entry(control, version, options) for task, found in known.items()}
        if not entries:
            break  # what is left vanished meanwhile
        sent += push(job, label_studio, control, version, entries)
        done += len(rows)
        job.step(f"sending {version} to Label Studio: {sent} predictions")
    return sent


def push_candidates(job: Job, label_studio: LabelStudio, version: str) -> int:
    """Send the teacher's candidate sets for tasks that nobody has decided; the number of rows."""
    engine, control = job.services.engine, job.current.control
    options = job.current.options
    unsent, done = (
        set(publishing.unsent_candidates(engine, job.number, version)),
        decided(job.services.engine, job.number),
    )
    publishing.intend(engine, job.number, version, unsent & done)  # on record, so that nobody asks for them again
    publishing.confirm(engine, job.number, version, unsent & done)
    missing = sorted(unsent - done)
    sent, size = 0, _rows(job)
    for start in range(0, len(missing), size):
        ids = missing[start : start + size]
        stored = about(candidates.read(engine, job.number, version, ids), tasks.hashes(engine, job.number, ids))
        entries = {
            task: _candidates_entry(control, version, options, row.candidates)
            for task, row in stored.items()
            if row.candidates is not None
        }
        sent += push(job, label_studio, control, version, entries)
        job.step(f"sending candidates to Label Studio: {sent} of {len(missing)}", start / len(missing))
    return sent


def _candidates_entry(control: Control, version: str, options: ProjectOptions, found: CandidateSet) -> Entry:
    entry = shortlist_entry(control, version, found, options.MAX_CANDIDATES, options.PRESELECT)
    score = score_column.of_teacher(options, control.pair, control.space, found)
    return entry if score is None else {**entry, "score": score}


def push(job: Job, label_studio: LabelStudio, control: Control, version: str, entries: dict[int, Entry]) -> int:
    """Send one chunk exactly once: intent, request, confirmation. Invalid entries stay here; vanished tasks go."""
    engine = job.services.engine
    share = job.current.blind_share
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
        held = label_studio.versions_held(job.label_studio_id, good)
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
    existing = label_studio.task_ids(job.label_studio_id)
    gone = sorted(set(entries) - existing)
    held = label_studio.versions_held(job.label_studio_id, set(entries) & existing)
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
        return label_studio.import_predictions(job.label_studio_id, rows)
    except LabelStudioRefused:  # nothing was stored
        publishing.withdraw(job.services.engine, job.number, version, list(entries))
        raise


def _problem(control: Control, entry: Entry, version: str, task: int) -> str:
    problem = is_valid(control, entry, version)
    if problem:
        log.error("prediction not sent", task=task, version=version, reason=problem)
    return problem
