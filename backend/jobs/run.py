"""What all jobs share: they run once at a time, say what they do, and end in a sentence when they fail."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

import sqlalchemy as sa
import structlog
from redis.exceptions import RedisError
from rq import get_current_job

from backend.errors import LabelStudioUnavailable, QueueError, ShortlistError, TurnLost
from backend.logs import configure_logs
from backend.pool import jobs, projects
from backend.pool.database.engine import open_engine
from backend.pool.database.lock import turn
from backend.projects.job import Job
from backend.queue.job_queue import RUNS, JobQueue
from backend.queue.kinds import LONGEST_WAIT_SECONDS, PAUSABLE
from backend.services import Services
from backend.settings import load_settings
from model.errors import ArtifactError, ModelError
from model.teacher.errors import TeacherUnavailable
from model.teacher.providers.http import LONGEST_WAIT

log = structlog.get_logger(__name__)

TRANSIENT = (LabelStudioUnavailable, TeacherUnavailable, QueueError, OSError, sa.exc.OperationalError)
DEATHS = 5  # a job whose process was killed so often in a row is not started again
UNTOLD = "untold"  # in RQ's record of a job: how its last run failed, where the pool could not be told
TURNS = {"adapt": "train", "cross": "train", "finish": "publish"}  # jobs in one turn: all make versions, or take looks
TURN_SECONDS = 10.0  # a job whose turn another process has is tried again after so long


def run_job(kind: str, project: int, work: Callable[[Job], str]) -> None:
    """Run `work` and record its state; its result is the last step in words.

    What may pass by itself is raised, so that RQ tries again later; everything else is recorded and ends the job. Once
    another process has taken over, nothing that the job still writes counts.
    """
    job = Job(job_services(), kind, project)
    structlog.contextvars.clear_contextvars()
    with structlog.contextvars.bound_contextvars(job=kind, project=project):
        if projects.get(job.services.engine, project) is None:
            log.warning("job of an unknown project")
            return
        with turn(job.services.engine, f"{TURNS.get(kind, kind)}-{project}") as engine:
            if engine is None:
                _leave_to_the_other(job)
                return
            mine = Job(replace(job.services, engine=engine), kind, project)
            try:
                if _told_of_a_failure(mine) or not _died_too_often(mine):
                    jobs.begin(engine, project, kind)
                    _run(mine, _wait_for_resume if kind in PAUSABLE and mine.paused else work)
            except TurnLost as error:
                _end_late(job, error)


def _leave_to_the_other(job: Job) -> None:
    """Another process is at it, though the queue thought not: Redis forgot that run, or a worker that was held up, or a
    clock that was set, made it look abandoned. Whoever asked after that run began is not forgotten; what it began after
    needs no other run."""
    row, record = jobs.get(job.services.engine, job.number).get(job.kind), get_current_job()
    log.warning("not run a second time: another process is at it")
    asked = record.meta.get(RUNS) if record is not None else None
    begun_since = row is not None and (row.state == "running" if asked is None else row.runs > asked)
    if not begun_since:
        job.ask_later(TURN_SECONDS)


def _end_late(job: Job, error: TurnLost) -> None:
    """The successor has the job's row by now: people are told beside it, and RQ that the job is over."""
    log.error("job ended, another process has taken over", reason=str(error))
    job.note(f"{str(error)[:1].upper()}{str(error)[1:]}")


def _wait_for_resume(job: Job) -> str:
    return f"nothing was done, because the project is paused; `shortlist resume {job.number}` goes on"


def _run(job: Job, work: Callable[[Job], str]) -> None:
    engine = job.services.engine
    try:
        text = work(job)
    except TRANSIENT as error:
        if _waits_as_told(job, error):
            return
        _say_that_it_is_tried_again(job, error)
        raise
    except TurnLost:
        raise
    except (ShortlistError, ModelError) as error:
        if _storage_is_away(error):
            _say_that_it_is_tried_again(job, error)
            raise
        log.error("job failed", reason=str(error))
        jobs.fail(engine, job.number, job.kind, str(error))
        job.note(str(error))
    except Exception as error:
        error_id = uuid.uuid4().hex[:12]
        log.exception("job failed unexpectedly", error_id=error_id)
        sentence = f"Unexpected {type(error).__name__}; the log tells more under error id {error_id}"
        jobs.fail(engine, job.number, job.kind, sentence)
        job.note(sentence)
    else:
        log.info("job done", result=text)
        jobs.finish(engine, job.number, job.kind, text)


def _storage_is_away(error: Exception) -> bool:
    """A full disk, or a place of versions that cannot be reached: unlike a damaged version this may pass."""
    cause = error.__cause__
    return isinstance(error, ArtifactError) and isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)


def _waits_as_told(job: Job, error: Exception) -> bool:
    """A server that names a time is asked no sooner, however often other errors are tried again."""
    seconds = error.retry_seconds if isinstance(error, TeacherUnavailable) else None
    if not seconds or seconds <= LONGEST_WAIT:
        return False
    wait = min(seconds, LONGEST_WAIT_SECONDS - 1.0)
    minutes = round(wait / 60)
    sentence = f"{_sentence(error)}. The server asks to wait: it is tried again by itself in {minutes} minutes"
    log.warning("the server asks to wait", reason=sentence, seconds=seconds)
    jobs.fail(job.services.engine, job.number, job.kind, sentence)
    job.note(sentence)
    job.ask_later(wait)
    return True


def _say_that_it_is_tried_again(job: Job, error: Exception) -> None:
    sentence = _sentence(error)
    log.warning("job failed, it is tried again", reason=sentence)
    try:
        jobs.fail(job.services.engine, job.number, job.kind, f"{sentence}. It is tried again by itself.")
        job.note(f"{sentence}. It was tried again by itself.")
    except sa.exc.OperationalError:  # the pool itself is away: the next run tells it
        record = get_current_job()
        if record is not None:
            with suppress(RedisError):
                record.meta[UNTOLD] = f"{sentence}. It was tried again by itself."
                record.save_meta()


def _told_of_a_failure(job: Job) -> bool:
    """Whether the last run ended without being killed, but could not say so: people are told now."""
    record = get_current_job()
    untold = record.meta.pop(UNTOLD, None) if record is not None else None
    if record is None or untold is None:
        return False
    job.note(str(untold))
    record.save_meta()
    return True


def _died_too_often(job: Job) -> bool:
    """Count runs that never ended, in RQ's record of the job; give up after DEATHS of them."""
    record = get_current_job()
    row = jobs.get(job.services.engine, job.number).get(job.kind)
    if record is None or row is None or row.state != "running":
        return False
    deaths = int(record.meta.get("deaths", 0)) + 1
    record.meta["deaths"] = deaths
    record.save_meta()
    job.note("Its process was killed. It was started again by itself.")
    if deaths < DEATHS:
        log.warning("the last run was killed, starting again", deaths=deaths)
        return False
    sentence = f"The job was killed {deaths} times in a row, often a sign of too little memory; start it again by hand"
    log.error(sentence)
    jobs.fail(job.services.engine, job.number, job.kind, sentence)
    return True


def _sentence(error: Exception) -> str:
    if isinstance(error, sa.exc.OperationalError):
        return f"The database cannot be used: {error.orig}"
    return str(error).rstrip(".") or type(error).__name__


@lru_cache(maxsize=1)
def job_services() -> Services:
    """Services from the environment, once per process. The worker has brought the schema up to date at its start."""
    settings = load_settings()
    configure_logs(settings)
    engine = open_engine(settings.database_url)
    return Services(settings, engine, JobQueue(settings.REDIS_URL, engine, patient=True))
