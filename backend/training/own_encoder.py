"""The encoder that a project's students have for themselves: when it is adapted, and which one is used until then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from backend.pool import versions
from backend.pool.annotations import learnable
from backend.projects.job import Job
from backend.training.runtime_check import EXACT, cached
from model.errors import ArtifactError, NotEnoughDataError
from model.training.adaptation import least_labels
from model.training.options import ADAPTED

if TYPE_CHECKING:
    from model.arrays import Progress, Stop
    from model.student.adapted import AdaptedEncoder
    from model.training.data import TrainingData
    from model.training.options import TrainingOptions, TrainingReport

log = structlog.get_logger(__name__)

FAST = "bfloat16"
GROWTH = 2.0  # times the human labels of the last time, before it is adapted again
PATIENCE = 4.0  # times the human labels that it takes, until which it gives way to trainings


def wanted(job: Job) -> bool:
    """Whether the project's students may have an encoder of their own: STUDENT_TRAINING=auto, our method, and one label
    that is right (texts of one label are drawn together)."""
    options = job.current.options
    chosen = (options.STUDENT_TRAINING, options.STUDENT_METHOD, options.MODE)
    return chosen == ("auto", "shortlist", "student") and not job.current.space.several


def due(job: Job, report: TrainingReport) -> bool:
    """Whether there are enough new human labels since the encoder was last adapted; labels of a few classes of a sorted
    file teach an encoder to know nothing else."""
    if not wanted(job) or not report.found.get("human_labels_representative", False):
        return False
    return report.human_rows >= _needed(job)


def overdue(job: Job) -> bool:
    """Whether there are so many human labels that adapting has been put off for long enough."""
    return len(learnable(job.services.engine, job.number)) >= PATIENCE * _needed(job)


def _needed(job: Job) -> float:
    """Human labels that it takes: enough, and twice those of the last time."""
    tried = [row.human_labels for row in versions.list_versions(job.services.engine, job.number) if _adapted(row)]
    return max(least_labels(job.current.pair), GROWTH * max(tried, default=0))


def _adapted(row: versions.VersionRow) -> bool:
    return bool(row.metrics.get("training", {}).get("adapted_now", False))


def of_training(
    job: Job, data: TrainingData, how: TrainingOptions, adapting: bool, progress: Progress, stop: Stop
) -> AdaptedEncoder | None:
    """A newly adapted encoder where `adapting`, else that of the served version; None for the plain one."""
    from model.training.adaptation import adapt

    if not wanted(job):
        return None
    try:
        own = _as_this_machine_runs(adapt(data, how, progress, stop), job) if adapting else _served(job)
    except NotEnoughDataError as error:
        log.info("the encoder stays as it is", reason=str(error))
        return None
    return own if own is None else cached(job.services.settings, own)


def _as_this_machine_runs(own: AdaptedEncoder, job: Job) -> AdaptedEncoder:
    """In bfloat16 where STUDENT_RUNTIME allows that, and for `auto` where the processor has it."""
    from model.encoder.runtimes import preferred

    wished = job.current.options.STUDENT_RUNTIME
    own.run_in(FAST if FAST in (wished, preferred() if wished == "auto" else "") else EXACT)
    return own


def _served(job: Job) -> AdaptedEncoder | None:
    from model.loading import load_version
    from model.student.adapted import AdaptedStudent
    from model.student.crossed import CrossedStudent

    version = job.current.served_version
    row = versions.get(job.services.engine, job.number, version)
    if row is None or row.metrics.get("training", {}).get("way") != ADAPTED:
        return None
    try:
        student = load_version(job.services.registry.fetch(job.number, version))
    except ArtifactError as error:
        log.error("the served encoder cannot be used, the plain one is", version=version, reason=str(error))
        return None
    same = student.encoder == job.current.options.STUDENT_ENCODER
    return student.own if isinstance(student, AdaptedStudent | CrossedStudent) and same else None
