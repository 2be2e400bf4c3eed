"""A student's answers for the tasks that nobody has decided: what the publishing job sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from backend import human_labels, score_column
from backend.embedding import project_embedder
from backend.jobs.running import Job
from backend.pool import predictions, publishing, tasks
from backend.services import project_options
from model.errors import ArtifactError
from model.labels import Decision

if TYPE_CHECKING:
    from model.registry import Registry
    from model.student.options import Embed
    from model.student.student import Student

log = structlog.get_logger(__name__)

CHUNK = 2000  # tasks per write
SHARE = 0.9  # of a training's progress is over when it predicts


def registry(job: Job) -> Registry:
    """Where versions are kept."""
    from model.registry import Registry

    settings = job.services.settings
    return Registry(settings.model_dir, settings.cache_dir / "fetched")


def embedder(job: Job) -> Embed:
    """The project's encoder with embeddings cached on disk, loaded when it is first used."""
    return project_embedder(job.services, job.project)


def decided(job: Job) -> set[int]:
    """The tasks that need no prediction, because people gave them one label."""
    found = human_labels.of_project(job.services.engine, job.number)
    return {task for task, label in found.items() if label.decision is Decision.FINAL}


def predict(job: Job, version: str, student: Student, embed: Embed, texts: Mapping[int, str]) -> None:
    """Store the version's label and probability for every one of these tasks."""
    ids, names = list(texts), student.space.names
    options = project_options(job.services.settings, job.project)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        rows = student.probabilities([texts[task] for task in chunk], embed)
        best = rows.argmax(axis=1)
        answers = [
            (task, tasks.text_hash(texts[task]), names[column], float(row[column]))
            for task, column, row in zip(chunk, best, rows, strict=True)
        ]
        known = list(zip(chunk, score_column.leads(rows), strict=True))
        score_column.keep(job.services, job.number, version, options, known)  # first: what has a label is published
        predictions.save(job.services.engine, job.number, version, answers)
        done = start + len(chunk)
        job.step(f"predicting: {done} of {len(ids)} tasks", SHARE + (1 - SHARE) * done / len(ids))


def predict_missing(job: Job, version: str) -> int:
    """Let a version answer the tasks that came, changed or were opened again after its training; their number."""
    from model.student.student import load_student

    wanted = publishing.unanswered(job.services.engine, job.number, version)
    wanted = sorted(set(wanted) - decided(job)) if wanted else []
    if not wanted:
        return 0
    try:
        student = load_student(registry(job).fetch(job.number, version))
    except ArtifactError as error:  # the rest of publishing does not depend on it
        log.error("the served version cannot be loaded", version=version, reason=str(error))
        return 0
    predict(job, version, student, embedder(job), tasks.texts(job.services.engine, job.number, wanted))
    return len(wanted)
