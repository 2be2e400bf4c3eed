"""Does the fast way to run the encoder give the labels of the exact one? Checked at every training, on its student."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import structlog

from backend.settings import Settings
from backend.training.encoder import runtime_embedder, student_embedder

if TYPE_CHECKING:
    from model.arrays import Embed
    from model.student.adapted import AdaptedEncoder, AdaptedStudent
    from model.student.head import HeadStudent
    from model.student.student import Student
    from model.training.options import TrainingReport

log = structlog.get_logger(__name__)

LEAST_AGREEMENT = 0.995  # share of labels that a faster way must leave as float32 gives them
CHECKED = 600  # texts on which that is checked

EXACT = "float32"


def passes(settings: Settings, student: Student, report: TrainingReport, texts: Sequence[str]) -> bool:
    """Compare the student's labels by its own runtime with those by float32, and note the result in the report.

    The sample is chosen by hash, so that its exact vectors are computed once and cached for later trainings.
    """
    from model.student.adapted import AdaptedStudent
    from model.student.head import HeadStudent

    runtime = getattr(student, "runtime", EXACT)
    report.runtime = {"encoder": student.encoder, "name": runtime}
    if runtime == EXACT or not isinstance(student, HeadStudent | AdaptedStudent):
        return True
    sample = sorted(set(texts), key=lambda text: hashlib.sha256(text.encode()).digest())[:CHECKED]
    share = agreement(student, sample, *_ways(settings, student))
    report.runtime |= {"agreement": share, "checked": len(sample), "needed": LEAST_AGREEMENT}
    good = share >= LEAST_AGREEMENT
    log.info("runtime checked" if good else "runtime refused", **report.runtime)
    return good


def _ways(settings: Settings, student: HeadStudent | AdaptedStudent) -> tuple[Embed, Embed]:
    """The student's encoder as it is run, and exact."""
    if student.kind == "adapted":
        own = cast("AdaptedStudent", student).own
        return own.embed, cached(settings, replace(own, runtime=EXACT)).embed
    return student_embedder(settings, student), runtime_embedder(settings, student.encoder, EXACT)


def cached(settings: Settings, own: AdaptedEncoder) -> AdaptedEncoder:
    """The encoder, with its vectors cached on disk."""
    from model.encoder.embeddings import EmbeddingCache

    own.embeddings = EmbeddingCache(settings.cache_dir, own.encoder).embed
    return own


def agreement(student: HeadStudent | AdaptedStudent, texts: Sequence[str], embed: Embed, exact: Embed) -> float:
    """Share of texts to which the student gives the same label by `embed` as by `exact`; 1 without texts. Where several
    may be right, the share of the labels ticked by either that both tick."""
    from model.decoding import ticked

    if not texts:
        return 1.0
    space, limits = student.space, student.thresholds
    found, true = (ticked(space, student.of_vectors(student.vectors(texts, one)), limits) for one in (embed, exact))
    if space.several:
        return float((found & true).sum() / max(1, (found | true).sum()))
    return float((found == true).all(1).mean())
