"""Does the fast way to run the encoder give the labels of the exact one? Checked at every training, on its student."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from backend.embedding import runtime_embedder, student_embedder
from backend.settings import Settings

if TYPE_CHECKING:
    from model.student.options import TrainingReport
    from model.student.student import Student

log = structlog.get_logger(__name__)

EXACT = "float32"


def passes(settings: Settings, student: Student, report: TrainingReport, texts: Sequence[str]) -> bool:
    """Compare the student's labels by its own runtime with those by float32, and note the result in the report.

    The sample is chosen by hash, so that its exact vectors are computed once and cached for later trainings.
    """
    from model.student.runtimes import CHECKED, LEAST_AGREEMENT, agreement

    runtime = getattr(student, "runtime", EXACT)
    report.runtime = {"encoder": student.encoder, "name": runtime}
    if runtime == EXACT:
        return True
    sample = sorted(set(texts), key=lambda text: hashlib.sha256(text.encode()).digest())[:CHECKED]
    exact = runtime_embedder(settings, student.encoder, EXACT)
    share = agreement(student, sample, student_embedder(settings, student), exact)
    report.runtime |= {"agreement": share, "checked": len(sample), "needed": LEAST_AGREEMENT}
    good = share >= LEAST_AGREEMENT
    log.info("runtime checked" if good else "runtime refused", **report.runtime)
    return good
