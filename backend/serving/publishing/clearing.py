"""Predictions that nobody can see any more are taken away in Label Studio, row by row.

Its one request that deletes a whole version is not used: it locks the database for minutes, lets the project show
nothing, and cuts what people decided off from what they were shown. And nothing goes that somebody may still have open:
Label Studio refuses an annotation that names a prediction which is gone.
"""

from __future__ import annotations

import time

import structlog

from backend.errors import LabelStudioLacks
from backend.label_studio.client import LabelStudio
from backend.pool import held, out_of_sight, teachers, versions
from backend.projects.current import Current
from backend.projects.job import Job
from backend.serving.publishing.pruning import IN_USE, needed

log = structlog.get_logger(__name__)

CHUNK = 50  # tasks that are listed together
MOST = 4  # versions whose rows are to be taken away; beyond it no new version is sent in full
OPEN_MS = 24 * 3_600_000  # for so long a task may stay open in somebody's browser
LEAST_MS = 3_600_000  # of a version that is not among the latest that went out of sight
LATEST = 10  # versions


def unseen(current: Current) -> list[str]:
    """Versions of which Label Studio holds rows that are neither shown, nor would be by a rollback; none where nobody
    wants them taken away."""
    if not current.options.REMOVE_OLD_PREDICTIONS:
        return []
    engine, project = current.engine, current.project
    rows = versions.list_versions(engine, current.number)
    seen = {current.served_version, current.teacher_version, project.published, project.on_screen}
    seen |= needed(rows, project.served)
    ours = {row.version for row in rows if row.state not in IN_USE} | set(teachers.of_project(engine, current.number))
    return sorted((ours - seen) & held.versions(engine, current.number))


def look(current: Current) -> None:
    """Note what nobody is shown any more, and from when on."""
    out_of_sight.note(current.engine, current.number, unseen(current), current.services.clock())


def due(current: Current) -> list[str]:
    """Versions whose rows are to be taken away now: unseen for so long that nobody has them open."""
    now, found = current.services.clock(), out_of_sight.since(current.engine, current.number)
    patience = ((version, LEAST_MS if place >= LATEST else OPEN_MS) for place, version in enumerate(found))
    over = {version for version, least in patience if now - found[version] >= least}
    return [version for version in unseen(current) if version in over] if over else []


def is_full(current: Current) -> bool:
    """Whether so much is to be taken away that no version is sent in full: else trainings in a row would fill Label
    Studio faster than it deletes."""
    return len(due(current)) > MOST


def clear(job: Job, label_studio: LabelStudio, seconds: float) -> tuple[int, bool]:
    """Take rows away for about so long; how many went, and whether some are left."""
    end, gone = time.monotonic() + seconds, 0
    look(job.current)
    while (old := due(job.current)) and (not gone or time.monotonic() < end):
        gone += _some(job, label_studio, old)
        job.step(f"taking older predictions away in Label Studio: {gone}")
    look(job.current)
    return gone, bool(old)


def _some(job: Job, label_studio: LabelStudio, old: list[str]) -> int:
    """The rows of the next tasks, but for those that an annotation came from."""
    engine, first = job.services.engine, held.first_task(job.services.engine, job.number, old)
    page = [] if first is None else label_studio.rows_of_tasks(job.label_studio_id, first, CHUNK)
    last = int(page[-1]["id"]) if len(page) == CHUNK else None  # None: there are no further tasks
    held.doubt(engine, job.number, old, last)
    gone = 0
    for task in page:
        parents = {one.get("parent_prediction") for one in task["annotations"]}
        for row in task["predictions"]:
            if row.get("model_version") in old and row["id"] not in parents:
                gone += _remove(label_studio, int(row["id"]))
    held.forget(engine, job.number, old, last)
    return gone


def _remove(label_studio: LabelStudio, row: int) -> bool:
    """Whether it was still there."""
    try:
        label_studio.remove_prediction(row)
    except LabelStudioLacks:
        return False
    return True
