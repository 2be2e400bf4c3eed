"""Notice work that is missing: lost with an emptied Redis, given up after many tries, or never asked for.

The worker's own maintenance starts this job every few seconds; it decides from the pool alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from backend.errors import ShortlistError
from backend.jobs.run import job_services
from backend.jobs.sync import SYNC_MS
from backend.pool import incidents, jobs, ledger, predictions, projects, publishing, rest, tallies, tasks, versions
from backend.pool.completions import lacks_nothing
from backend.pool.jobs import JobRow
from backend.pool.tallies import Tallies
from backend.projects.current import Current, current_of
from backend.projects.job import Job
from backend.projects.triggers import next_training, silence_ends
from backend.queue.kinds import KINDS, PAUSABLE
from backend.services import Services
from backend.serving.publishing.clearing import due, is_full
from model.errors import ModelError

log = structlog.get_logger(__name__)

REVIVE_MS = 300_000  # a job that gave up is started again after so long, if its work is still undone
LOST = "Redis had lost this job, or could not be reached when it was asked for. It was queued again by itself."
MOMENT_MS = 5_000  # from the end of a run to the one more that was asked for meanwhile
NEVER = 2**62  # UTC milliseconds
LOST_MS = 60_000  # a run that has said nothing for so long, and that Redis does not know, is lost


def run(_: int = 0) -> None:
    """Entry point of the queue: look at every project that may lack something."""
    services = job_services()
    now = services.clock()
    stamps = rest.restless(services.engine, now)
    until = {number: _look(services, number) for number in stamps}
    rest.remember(services.engine, {number: (stamps[number], end) for number, end in until.items() if end}, now)


def _look(services: Services, number: int) -> int | None:
    """Start what a project lacks; the moment at which it may lack something though no row has changed, None for at
    once."""
    try:
        tallies.tidy(services.engine, number)
        ledger.book_lost(services.engine, number)
        project, before = projects.get(services.engine, number), jobs.get(services.engine, number)
        if project is None:
            return None
        current = current_of(services, project)
        wanted = missing(current)
        for kind in wanted:
            if services.queue.ensure(kind, number):
                log.info("missing job started", job=kind, project=number)
                if kind in before and _lost(before[kind], services.clock()):
                    incidents.note(services.engine, number, kind, LOST)
        return None if wanted else _next_moment(current, before)
    except (ShortlistError, ModelError) as error:
        log.warning("project not reconciled", project=number, reason=str(error))
    except Exception:  # whatever is wrong with one project must not stop the others
        log.exception("project not reconciled", project=number)
    return None


def _next_moment(current: Current, rows: Mapping[str, JobRow]) -> int:
    """When the project may lack something though none of its rows has changed, in UTC milliseconds."""
    now = current.services.clock()
    if current.services.settings.PROMPT_FILE:
        return now  # the file may change at any time
    compared = rows["sync"].updated_ms + SYNC_MS if "sync" in rows else NEVER
    silence = silence_ends(current) if current.project.space is not None else None
    return min(moment for moment in (compared, silence or NEVER, NEVER) if moment > now)


def missing(current: Current) -> list[str]:
    """The jobs that the project needs now; some of them may be waiting or running already."""
    rows, now = jobs.get(current.engine, current.number), current.services.clock()
    wanted = [kind for kind in KINDS if kind in rows and _interrupted(rows[kind], now)]
    if _due(rows, "sync", now, SYNC_MS) and Job(current.services, "sync", current.number).has_key:
        wanted.append("sync")
    if current.project.space is None:
        return [kind for kind in wanted if kind == "sync"]
    version, counted = current.teacher_version, tallies.of_project(current.engine, current.number)
    if _unasked(current, version, counted):
        wanted.append("annotate")
    if next_training(current).due:
        wanted.append("train")
    if _unpublished(current, version, counted):
        wanted.append("publish")
    if not current.project.elsewhere and Job(current.services, "clear", current.number).has_key and due(current):
        wanted.append("clear")
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


def _unasked(current: Current, version: str, now: Tallies) -> bool:
    """Whether the teacher has yet to be asked about a task."""
    engine, number = current.engine, current.number
    return not lacks_nothing(
        engine,
        number,
        f"candidates/{version}",
        now,
        ("tasks", "candidate_sets"),
        lambda: bool(tasks.without_candidates(engine, number, version, 1)),
    )


def _unpublished(current: Current, version: str, now: Tallies) -> bool:
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
    of_student = served != version

    def unsent() -> bool:
        if of_student:
            return bool(predictions.unpublished(engine, number, served, 1)) and not is_full(current)
        return bool(publishing.unsent_candidates(engine, number, version))

    kinds = ("tasks", "published", "predictions" if of_student else "candidate_sets")
    return not lacks_nothing(engine, number, f"publish/{served}", now, kinds, unsent)
