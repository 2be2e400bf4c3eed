"""Notice work that is missing: lost with an emptied Redis, given up after many tries, or never asked for.

The worker's own maintenance starts this job every few seconds; it decides from the pool alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from backend.errors import ShortlistError
from backend.jobs.run import job_services
from backend.jobs.sync import RUN_MS
from backend.pool import incidents, jobs, predictions, projects, publishing, tasks, versions
from backend.pool.jobs import JobRow
from backend.projects.current import Current, current_of
from backend.projects.job import Job
from backend.projects.triggers import next_training
from backend.queue.kinds import KINDS, PAUSABLE
from model.errors import ModelError

log = structlog.get_logger(__name__)

REVIVE_MS = 300_000  # a job that gave up is started again after so long, if its work is still undone
LOST = "Redis had lost this job, or could not be reached when it was asked for. It was queued again by itself."
MOMENT_MS = 5_000  # from the end of a run to the one more that was asked for meanwhile
LOST_MS = 60_000  # a run that has said nothing for so long, and that Redis does not know, is lost


def run(_: int = 0) -> None:
    """Entry point of the queue: look at every project."""
    services = job_services()
    for project in projects.all_projects(services.engine):
        try:
            before = jobs.get(services.engine, project.project)
            for kind in missing(current_of(services, project)):
                if services.queue.ensure(kind, project.project):
                    log.info("missing job started", job=kind, project=project.project)
                    if kind in before and _lost(before[kind], services.clock()):
                        incidents.note(services.engine, project.project, kind, LOST)
        except (ShortlistError, ModelError) as error:
            log.warning("project not reconciled", project=project.project, reason=str(error))
        except Exception:  # whatever is wrong with one project must not stop the others
            log.exception("project not reconciled", project=project.project)


def missing(current: Current) -> list[str]:
    """The jobs that the project needs now; some of them may be waiting or running already."""
    rows, now = jobs.get(current.engine, current.number), current.services.clock()
    wanted = [kind for kind in KINDS if kind in rows and _interrupted(rows[kind], now)]
    if _due(rows, "sync", now, RUN_MS) and Job(current.services, "sync", current.number).has_key:
        wanted.append("sync")
    if current.project.space is None:
        return [kind for kind in wanted if kind == "sync"]
    version = current.teacher_version
    if tasks.without_candidates(current.engine, current.number, version, 1):
        wanted.append("annotate")
    if next_training(current).due:
        wanted.append("train")
    if _unpublished(current, version):
        wanted.append("publish")
    resting = PAUSABLE if current.paused else ()
    return [kind for kind in dict.fromkeys(wanted) if kind not in resting and not _gave_up_lately(rows.get(kind), now)]


def _interrupted(row: JobRow, now: int) -> bool:
    """Asked for, or begun, and not ended."""
    return row.state == "queued" or row.again or (row.state == "running" and now - row.updated_ms > LOST_MS)


def _lost(row: JobRow, now: int) -> bool:
    """Whether something went wrong: what was asked for a moment ago may be on its way from one worker to the next."""
    return _interrupted(row, now) and not 0 <= now - row.updated_ms < MOMENT_MS


def _gave_up_lately(row: JobRow | None, now: int) -> bool:
    return row is not None and row.state == "failed" and 0 <= now - row.updated_ms < REVIVE_MS


def _due(rows: Mapping[str, JobRow], kind: str, now: int, every_ms: int) -> bool:
    return kind not in rows or not 0 <= now - rows[kind].updated_ms < every_ms


def _unpublished(current: Current, version: str) -> bool:
    """Whether Label Studio lacks something: a version that waits, rows of the served one, or the title."""
    engine, number = current.engine, current.number
    if any(row.state == "publishing" for row in versions.list_versions(engine, number)):
        return True
    if current.project.elsewhere or not Job(current.services, "publish", number).has_key:
        return False
    served = current.served_version
    if (
        publishing.outdated(engine, number)
        or current.project.published != served
        or publishing.unconfirmed(engine, number, current.services.clock())
    ):
        return True
    if served != version:
        return bool(predictions.unpublished(engine, number, served, 1))
    return bool(publishing.unsent_candidates(engine, number, version))
