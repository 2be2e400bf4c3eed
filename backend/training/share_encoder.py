"""Gives web servers without torch what they need to run a student: its encoder in exported form (SHARE_ENCODER)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from backend.projects.job import Job
from backend.training.encoder import project_runtime
from model.errors import ModelError

if TYPE_CHECKING:
    from model.registry import Saves
    from model.student.student import Student

log = structlog.get_logger(__name__)


def share_encoder(job: Job) -> None:
    """Keep the project's encoder beside the versions, unless it is there. Without it jobs and web servers with torch
    work as before, so that a failure is logged and stops nothing."""
    from model.encoder.export import share_encoder

    settings = job.services.settings
    if not settings.SHARE_ENCODER:
        return
    name, runtime = job.current.options.STUDENT_ENCODER, project_runtime(job.current)
    try:
        share_encoder(job.services.registry, name, runtime, settings.cache_dir, settings.THREADS)
    except ModelError as error:
        log.error("the encoder is not shared", encoder=name, reason=str(error))


def carrying(job: Job, student: Student) -> Saves:
    """What is stored of a student: with the encoder that is its own, if it has one."""
    from model.student.adapted import Carrying

    own = getattr(student, "own", None)
    if job.services.settings.SHARE_ENCODER and own is not None:
        return Carrying(student, own.trained)
    return student
