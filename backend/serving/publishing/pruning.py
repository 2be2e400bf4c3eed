"""Old versions make room for new ones. What is served and what a rollback would serve always stay."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from backend.pool import acquisition, predictions, relevances, rulings, shortlists, versions
from backend.pool.versions import VersionRow
from backend.projects.job import Job
from model.errors import ArtifactError

log = structlog.get_logger(__name__)

IN_USE = ("trained", "publishing", "promoted")  # whatever their number is


def prune(job: Job) -> int:
    """Remove the files of all but the newest KEEP_VERSIONS versions; how many went. Their rows and figures stay.

    What cannot be removed now is tried again after the next publishing.
    """
    engine, keep = job.services.engine, job.current.options.KEEP_VERSIONS
    gone = 0
    for row in superfluous(versions.list_versions(engine, job.number), job.project.served, keep):
        reason = f"{row.reason}; removed to make room".lstrip("; ")
        versions.set_state(engine, job.number, row.version, "removed", reason)
        try:
            job.services.registry.delete(job.number, row.version)
        except (OSError, ArtifactError) as error:
            versions.set_state(engine, job.number, row.version, row.state, row.reason)
            log.warning("old version not removed", version=row.version, reason=str(error))
            continue
        predictions.drop_unseen(engine, job.number, row.version)
        acquisition.drop(engine, job.number, row.version)
        rulings.drop(engine, job.number, row.version)
        shortlists.drop(engine, job.number, row.version)
        relevances.drop(engine, job.number, row.version)
        gone += 1
    return gone


def superfluous(rows: Sequence[VersionRow], served: str | None, keep: int) -> list[VersionRow]:
    """Of all versions, newest first, those whose files may go: beyond the newest `keep`, not in use, and not the one
    that was served before the present one."""
    present = [row for row in rows if row.state != "removed"]
    kept = needed(rows, served)
    return [row for row in present[keep:] if row.version not in kept and row.state not in IN_USE]


def needed(rows: Sequence[VersionRow], served: str | None) -> set[str]:
    """Of all versions, newest first, the served one and those that a rollback would serve."""
    present = [row for row in rows if row.state != "removed"]
    promoted = [row for row in present if row.promoted_ms is not None and row.version != served]
    earlier = max(promoted, key=lambda row: row.promoted_ms or 0, default=None)
    number = next((row.number for row in present if row.version == served), None)
    older = [row for row in promoted if number is not None and row.number < number]
    back = max(older, key=lambda row: row.number, default=None)
    return {version for version in (served, earlier and earlier.version, back and back.version) if version}
