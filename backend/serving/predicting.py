"""A student's answers for the tasks that nobody has decided: what the publishing job sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

import structlog

from backend.pool import jobs, publishing, rulings, tasks, text
from backend.pool.annotations import decided
from backend.pool.version_names import is_committee
from backend.projects.job import Job
from backend.serving import answers, relevance, unsure
from backend.serving.left_open import completed, is_judged
from backend.serving.ruling import ruled
from backend.training.cross_encoder import remembering
from backend.training.encoder import embedder_for
from model.errors import ArtifactError

if TYPE_CHECKING:
    from model.arrays import Embed
    from model.calibration import Calibration
    from model.committee.committee import Committee
    from model.pool_beliefs import PoolBeliefs
    from model.student.student import Student

log = structlog.get_logger(__name__)

CHUNK = 2000  # tasks per write
PORTION = 20_000  # tasks between two looks at whether a training waits
REPLACE_MS = 600_000  # a damaged version is replaced by a new training, at most so often
SHARE = 0.9  # of a training's progress is over when it predicts


def predict(
    job: Job,
    version: str,
    student: Student,
    embed: Embed,
    texts: Mapping[int, str],
    calibration: Calibration | None = None,
    believed: PoolBeliefs | None = None,
) -> None:
    """Store the version's answers for every one of these tasks: label, probability, and a shortlist where unsure.

    `believed`: what the training that made the version knows of its own texts, which goes before the text alone.
    """
    ids, services = list(texts), job.services
    options = job.current.options
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        rows = student.probabilities([texts[task] for task in chunk], embed)
        if believed is not None:
            rows = believed.over([texts[task] for task in chunk], rows, student.thresholds)
        found = answers.answers(student.space, rows, calibration, student.thresholds)
        if student.kind == "committee":
            found = ruled(job.current, version, cast("Committee", student), chunk,
                          [texts[task] for task in chunk], found)  # fmt: skip
        keys = [text.text_hash(texts[task]) for task in chunk]
        judged = believed is not None or is_judged(calibration)
        found = completed(job.current, student.thresholds, list(zip(chunk, keys, strict=True)), found, judged=judged)
        answers.save(services, job.number, version, options, zip(chunk, keys, found, strict=True))
        done = start + len(chunk)
        job.step(f"predicting: {done} of {len(ids)} tasks", SHARE + (1 - SHARE) * done / len(ids))


def predict_missing(
    job: Job,
    version: str,
    begin: float = 0.0,
    spread: Callable[[], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> bool:
    """Let a version answer the tasks that its training has not read, and those that came, changed or were opened again
    since; whether none is left. Where many are, it gives way to a training.

    Others may do the same at the same time, each from a place of its own on, `begin` in [0, 1), and round: what one has
    answered the next does not find. `spread` is called while there are many, to have them begin; `stop()` ends it.
    """
    if is_committee(version):
        rulings.fill(job.services.engine, job.number, version, "committee")
    loaded: tuple[Student, Calibration | None] | None = None
    for wanted in _unanswered(job, version, begin):
        if (loaded is not None and job.services.queue.waits("train", job.number)) or (stop is not None and stop()):
            return False
        if spread is not None and len(wanted) > PORTION // 2:
            spread()
        loaded = loaded or _load(job, version)
        if loaded is None:
            return True  # the rest of publishing does not depend on it
        student, calibration = loaded
        texts, embed = tasks.texts(job.services.engine, job.number, wanted), embedder_for(job.current, student)
        relevance.keep(job, version, student, texts, embed)
        predict(job, version, student, embed, texts, calibration)
    return True


def _unanswered(job: Job, version: str, begin: float = 0.0) -> Iterator[list[int]]:
    """The tasks that the version has not answered and nobody has decided, in portions: from a place on, then the ones
    before it."""
    engine, done = job.services.engine, decided(job.services.engine, job.number)
    first, last = tasks.span(engine, job.number)
    middle = first + int(begin * (last + 1 - first))
    for start, end in ((middle - 1, last), (first - 1, middle - 1)):
        after = start
        while after < end and (found := publishing.unanswered(engine, job.number, version, after, PORTION, end)):
            after = found[-1]
            if wanted := [task for task in found if task not in done]:
                yield wanted


def _load(job: Job, version: str) -> tuple[Student, Calibration | None] | None:
    """The version as it is stored; None if it cannot be loaded, which people are told."""
    from model.loading import load_version

    try:
        folder = job.services.registry.fetch(job.number, version)
        student = load_version(folder)
        return remembering(job.services.settings.cache_dir, student), unsure.of_version(folder)
    except ArtifactError as error:
        log.error("the served version cannot be loaded", version=version, reason=str(error))
        job.note(f"The served version {version} cannot be loaded: {error}")
        _replace(job, error)
        return None


def _replace(job: Job, error: ArtifactError) -> None:
    """Have a damaged version followed by a new one; a place that cannot be reached now is only waited for."""
    if isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, FileNotFoundError):
        return
    last = jobs.get(job.services.engine, job.number).get("train")
    if last is None or not 0 <= job.services.clock() - last.updated_ms < REPLACE_MS:
        job.ask("train")
