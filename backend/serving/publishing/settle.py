"""Compare our record with what Label Studio holds: after a crash, after /predict, and where two wrote the same row.

Label Studio stores what /predict answers some time after it asked. A publish may send the same row meanwhile, and two
people who open one task at once make Label Studio ask, and store, twice. No lock of ours reaches into Label Studio, so
the rows in question are looked at afterwards: what is missing will be sent again, what is there twice is deleted.
"""

from __future__ import annotations

import structlog

from backend.label_studio.client import LabelStudio
from backend.pool import publishing
from backend.projects.job import Job

log = structlog.get_logger(__name__)


def settle(job: Job, label_studio: LabelStudio) -> None:
    """Find out about every row, of all versions, of which it is open whether Label Studio holds it."""
    engine, now = job.services.engine, job.services.clock()
    versions = publishing.unconfirmed(engine, job.number, now)
    held = label_studio.versions_held(job.label_studio_id, set().union(*versions.values())) if versions else {}
    for version, tasks in versions.items():
        there = {task for task in tasks if version in held.get(task, [])}
        twice = sorted(task for task in there if held[task].count(version) > 1)
        deleted = sum(_delete_surplus(label_studio, task, version) for task in twice)
        publishing.settle(engine, job.number, version, there, tasks - there, now)
        log.info("rows settled", version=version, held=len(there), lost=len(tasks - there), deleted=deleted)


def take_back(job: Job, label_studio: LabelStudio) -> None:
    """Remove the answers to texts that were edited since: Label Studio would show them, and not ask again. Those that
    an annotation came from stay."""
    found = publishing.outdated(job.services.engine, job.number)
    for done, (task, versions) in enumerate(sorted(found.items())):
        job.step(f"taking back answers to edited texts: {done} of {len(found)}")
        rows = [int(row["id"]) for row in label_studio.predictions(task) if row.get("model_version") in versions]
        parents = {one.get("parent_prediction") for one in label_studio.annotations(task)} if rows else set()
        for row in rows:
            if row not in parents:
                label_studio.remove_prediction(row)
        publishing.take_back(job.services.engine, job.number, task, versions)
        log.info("answers to an edited text taken back", task=task, rows=len(rows))


def _delete_surplus(label_studio: LabelStudio, task: int, version: str) -> int:
    """Leave one row of the version: the one that an annotation came from, else the oldest. How many were deleted."""
    rows = sorted(int(row["id"]) for row in label_studio.predictions(task) if row.get("model_version") == version)
    if len(rows) < 2:
        return 0
    parents = {annotation.get("parent_prediction") for annotation in label_studio.annotations(task)}
    kept = {row for row in rows if row in parents} or {rows[0]}
    surplus = [row for row in rows if row not in kept]
    for row in surplus:
        label_studio.remove_prediction(row)
    return len(surplus)
