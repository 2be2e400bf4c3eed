"""The cross-encoder beside a project's students: when one is tried, and which one they have until the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from backend.pool import versions
from backend.projects.job import Job
from model.errors import ArtifactError, NotEnoughDataError

if TYPE_CHECKING:
    from model.arrays import Embed, Progress, Stop
    from model.student.adapted import AdaptedEncoder
    from model.student.crossed import CrossedStudent
    from model.student.student import Student
    from model.training.data import TrainingData
    from model.training.options import TrainingOptions, TrainingReport

log = structlog.get_logger(__name__)

GROWTH = 2.0  # times the tasks, or people's labels, of the last trial, before the next one
LEAST_LABELS = 100  # of people, which make another trial worth it


@dataclass(frozen=True)
class Learning:
    """What a cross-encoder learns from and how, and whom it tells."""

    data: TrainingData
    how: TrainingOptions
    embed: Embed
    own: AdaptedEncoder | None
    progress: Progress
    stop: Stop
    folder: Path  # for what is computed once


def due(job: Job, report: TrainingReport) -> bool:
    """Whether there is so much more to learn from than at the last trial."""
    from model.crossing import LEAST_ROWS

    if not job.current.options.CROSS_ENCODER or report.rows < LEAST_ROWS:
        return False
    trials = [found for row in versions.list_versions(job.services.engine, job.number) if (found := _trial(row))]
    rows, people = (max((int(one[name]) for one in trials), default=0) for name in ("rows", "people"))
    return report.rows >= GROWTH * rows or report.human_rows >= max(LEAST_LABELS, GROWTH * people)


def beside(job: Job, student: Student, report: TrainingReport, learns: Learning, crossing: bool) -> Student:
    """The student with a cross-encoder: one that is tried now where `crossing`, else the served version's; alone
    without one, or where it does not pay. The report says what was found."""
    from model.student.adapted import AdaptedStudent
    from model.student.crossed import CrossedStudent
    from model.student.head import HeadStudent

    if not job.current.options.CROSS_ENCODER or getattr(student, "view", None) is None:
        return student
    assert isinstance(student, HeadStudent | AdaptedStudent), "what sees pairs is one"
    if crossing:
        return _tried(student, report, learns)
    served, found = _served(job)
    if served is None or served.cross is None or served.view is None or student.view is None:
        return student
    if served.encoder != student.encoder or served.view.pair != student.view.pair:
        return student
    report.cross = found
    return remembering(learns.folder, CrossedStudent(student, served.cross))


def remembering(folder: Path, student: Student) -> Student:
    """The student, which keeps in `folder` what its cross-encoder says, if it has one: no pair is read twice."""
    from model.student.crossed import CrossedStudent

    if isinstance(student, CrossedStudent):
        student.keep_answers(folder)
    return student


def _tried(student: Any, report: TrainingReport, learns: Learning) -> Student:
    from model.crossing import sentence, tried
    from model.student.crossed import CrossedStudent

    try:
        cross, trial = tried(
            student.space, learns.data, learns.how, learns.embed, learns.own, learns.progress, learns.stop
        )
    except NotEnoughDataError as error:
        report.cross = {"sentence": f"No cross-encoder was tried: {error}"}
        return student  # type: ignore[no-any-return]
    found = trial.to_json()
    report.cross = {**found, "sentence": sentence(found), "rows": report.rows, "people": report.human_rows, "now": True}
    return remembering(learns.folder, CrossedStudent(student, cross)) if trial.pays else student


def _trial(row: versions.VersionRow) -> dict[str, Any]:
    """What a version's own training found about a cross-encoder; empty if it tried none."""
    found: dict[str, Any] = row.metrics.get("training", {}).get("cross", {})
    return found if found.get("now") and "rows" in found else {}


def _served(job: Job) -> tuple[CrossedStudent | None, dict[str, object]]:
    """The served version where it has a cross-encoder, and what is known of that."""
    from model.loading import load_version
    from model.student.crossed import CrossedStudent

    version = job.current.served_version
    row = versions.get(job.services.engine, job.number, version)
    found = row.metrics.get("training", {}).get("cross", {}) if row is not None else {}
    if not found.get("pays"):
        return None, {}
    try:
        student = load_version(job.services.registry.fetch(job.number, version))
    except ArtifactError as error:
        log.error("the served cross-encoder cannot be used, the student answers alone", reason=str(error))
        return None, {}
    return (student, {**found, "now": False}) if isinstance(student, CrossedStudent) else (None, {})
