"""Bring the pool in line with Label Studio: tasks and annotations that changed there, and what vanished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, TypeVar

import structlog

from backend.jobs.run import run_job
from backend.label_studio.annotations import read_annotation
from backend.label_studio.client import LabelStudio
from backend.label_studio.control import Control
from backend.label_studio.fields import created_of, identifier, utc_text
from backend.label_studio.task_text import task_text
from backend.pool import annotations as decisions
from backend.pool import comparisons, figures, projects, queries, tasks
from backend.pool.projects import Project
from backend.projects import triggers
from backend.projects.current import current_of
from backend.projects.job import Job
from backend.projects.on_screen import remember_on_screen
from backend.projects.updates import remember, remember_instructions, take_queries, take_texts
from backend.projects.whereabouts import stated_project
from backend.services import Services

log = structlog.get_logger(__name__)

T = TypeVar("T")
ALONE = "nothing can be compared: what events add is believed, nothing is taken away"
OVERLAP = timedelta(seconds=10)  # read again what changed shortly before the last look
CHUNK = 500
SYNC_MS = 300_000  # how often the reconciling job starts this one, milliseconds
FULL_MS = 12 * SYNC_MS  # how often all ids are compared


@dataclass
class Difference:
    """What was found and put right: numbers of tasks."""

    texts: int = 0
    decided: int = 0
    removed: int = 0
    set_back: bool = False  # Label Studio's clock was, so that all tasks were read

    def __str__(self) -> str:
        more = "; Label Studio's clock was set back, so everything was compared anew" if self.set_back else ""
        parts = (f"{self.texts} new or edited tasks", f"{self.decided} changed human labels")
        return f"{', '.join(parts)}, {self.removed} vanished tasks{more}"


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("sync", project, work)


def work(job: Job) -> str:
    """Synchronise, then start what the differences ask for."""
    last = comparisons.get(job.services.engine, job.number)
    found = synchronise(job, last.all_due(job.services.clock(), FULL_MS))
    if found is None:
        return f"{job.lack}: {ALONE}"
    trigger = triggers.on_human_labels if found.decided else triggers.on_annotations
    trigger(job.services, job.number)
    if found.texts:
        triggers.on_new_tasks(job.services, job.number)
    return f"in line with Label Studio: {found}{_left_out(job)}"


def _left_out(job: Job) -> str:
    """What Label Studio has that cannot be used."""
    engine, space = job.services.engine, job.project.space
    textless = len(tasks.textless(engine, job.number))
    unknown = figures.unknown_labels(engine, job.number, space.names if space else ()).annotations
    told = f"; {textless} tasks have no text" if textless else ""
    field = job.project.grouped
    if field and not queries.there(engine, job.number):
        told += f'; no task has the field "{field}", so that GROUP={field} groups nothing'
    return told + (f"; {unknown} annotations have labels that the label config does not have" if unknown else "")


def synchronise(job: Job, complete: bool) -> Difference | None:
    """Read what changed since the last time; with `complete` also compare all ids. None where there is nobody to ask:
    `job.lack` says why.

    Raises the LabelStudioError tree; LabelingConfigError if the label config is not supported.
    """
    label_studio = job.label_studio()
    if label_studio is None:
        return None
    started, last = job.services.clock(), comparisons.get(job.services.engine, job.number)
    with label_studio:
        project = _follow_project(job, label_studio)
        found = _read_changes(job, label_studio, project)
        if complete and (last.asked_all or not _as_many(job, label_studio)):
            _compare_ids(job, label_studio, found)
    comparisons.done(job.services.engine, job.number, started, complete)
    if found.set_back:
        job.note("Label Studio's clock was set back. Everything was compared anew, so that nothing is missing.")
    elif found.decided and project.changes and project.synced and not last.asked:  # not the first look at these labels
        job.note("No event had told of some changed human labels. The comparison with Label Studio found them.")
    log.info("synchronised", texts=found.texts, decided=found.decided, removed=found.removed, complete=complete)
    return found


def _follow_project(job: Job, label_studio: LabelStudio) -> Project:
    """The project's label config may have changed without a webhook reaching us."""
    stated = stated_project(label_studio, job.project)
    title, created = str(stated.get("title") or ""), created_of(stated)
    project = remember(job.services, job.label_studio_id, created, str(stated["label_config"]), title=title)
    project = remember_instructions(current_of(job.services, project), stated)
    return remember_on_screen(current_of(job.services, project), stated).project


def _read_changes(job: Job, label_studio: LabelStudio, project: Project) -> Difference:
    control = current_of(job.services, project).control
    group = control.pair.group if control.pair is not None else ""
    if group != project.grouped:  # what the field says of tasks that were read long ago is not known
        project = replace(project, synced="")
    since, now = _since(project.synced), _http_time(label_studio.server_time)
    found = Difference(set_back=bool(now) and now < since)
    if found.set_back:  # what changed since then bears times that were read long ago
        log.warning("Label Studio's clock was set back, everything is read", now=now, read_until=project.synced)
        since, project = "", replace(project, synced="")
    latest, started, listed_ms = project.synced, "", job.services.clock()
    done = 0
    for page in _chunks(label_studio.tasks(job.label_studio_id, since)):
        started = started or _http_time(label_studio.server_time)
        _take(job.services, control, job.number, page, listed_ms, found)
        latest = max([latest, *(utc_text(task.get("updated_at")) for task in page)])
        done += len(page)
        job.step(f"reading tasks from Label Studio: {done}")
    if group != project.grouped:
        projects.set_grouped(job.services.engine, job.number, group)
    if latest:  # never later than the start of this look: what changed during it is read again
        projects.set_synced(job.services.engine, job.number, min(latest, started) if started else latest)
    return found


def _take(
    services: Services, control: Control, project: int, page: Sequence[Any], listed_ms: int, found: Difference
) -> None:
    given = {int(task["id"]): task_text(control, task.get("data") or {}) for task in page}
    found.texts += take_texts(services, project, given)
    take_queries(services, control, project, {int(task["id"]): task.get("data") or {} for task in page})
    rows = [read_annotation(control, one, int(task["id"])) for task in page for one in _annotations(task)]
    changed = decisions.save(services.engine, project, rows, listed_ms)
    found.decided += len(changed | _drop_deleted(services, project, page, listed_ms))


def _drop_deleted(services: Services, project: int, page: Sequence[Any], listed_ms: int) -> set[int]:
    """Annotations that Label Studio no longer lists. One that is newer than the listing is not gone, but unlisted:
    newer by Label Studio's clock, and not seen here long before, by ours."""
    listed = {int(task["id"]): {identifier(one.get("id")) for one in _annotations(task)} for task in page}
    times = {int(task["id"]): utc_text(task.get("updated_at")) for task in page}
    changed: set[int] = set()
    for task, ours in decisions.of_tasks(services.engine, project, list(listed)).items():
        absent = [row for row in ours if row.state != "deleted" and row.annotation not in listed[task]]
        newer = [row.annotation for row in absent if row.updated_at > times[task]]
        kept = set(newer) - decisions.seen_before(services.engine, project, newer, listed_ms) if newer else set()
        gone = [row.annotation for row in absent if row.annotation not in kept]
        if gone:
            changed |= decisions.delete(services.engine, project, gone, times[task])
    return changed


def _as_many(job: Job, label_studio: LabelStudio) -> bool:
    """Whether the pool has as many tasks as Label Studio, where it says how many. All of its tasks were read, so that
    one that vanished would leave the pool with more; listing all ids of a large project takes seconds."""
    engine, number = job.services.engine, job.number
    here = tasks.count(engine, number) + len(tasks.textless(engine, number))
    return label_studio.project(job.label_studio_id).get("task_number") == here


def _compare_ids(job: Job, label_studio: LabelStudio, found: Difference) -> None:
    engine, project = job.services.engine, job.number
    ours = set(tasks.all_ids(engine, project)) | tasks.textless(engine, project) | decisions.task_ids(engine, project)
    gone = ours - label_studio.task_ids(job.label_studio_id)  # in this order: a task that arrives meanwhile is not gone
    if gone:
        tasks.remove(engine, project, sorted(gone))
    found.removed += len(gone)


def _annotations(task: Any) -> list[Any]:
    return [one for one in task.get("annotations") or [] if isinstance(one, dict) and identifier(one.get("id"))]


def _since(synced: str) -> str:
    if not synced:
        return ""
    return (datetime.fromisoformat(synced) - OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _http_time(date: str) -> str:
    """Label Studio's Date header in the form of its `updated_at`; "" if there is none."""
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (TypeError, ValueError):
        return ""


def _chunks(items: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk
