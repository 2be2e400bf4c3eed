"""The served student's head, from which a training goes on where little has changed since: see `model.training.warm`.

What a head has learned and nobody says any more fades slowly, so that now and then a training begins anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from backend.pool import versions
from backend.projects.job import Job
from model.errors import ArtifactError

if TYPE_CHECKING:
    from model.student.head import HeadStudent
    from model.training.data import TrainingData
    from model.training.options import TrainingOptions, TrainingReport

log = structlog.get_logger(__name__)

IN_A_ROW = 9  # trainings that go on, before one begins anew
GROWTH = 0.1  # share of rows by which there may be more or fewer than when a training last began anew
LABELS = 100  # of people that may have come since, or as many as there were then


@dataclass(frozen=True)
class Earlier:
    """The head to go on from, None where the training begins anew, and the notes that the new version keeps: what the
    last training that began anew knew, and how many went on since."""

    head: HeadStudent | None
    going_on: Mapping[str, Any]
    beginning: Mapping[str, Any]

    def note(self, report: TrainingReport) -> None:
        """Tell the next training."""
        report.found["anew"] = dict(self.going_on if report.went_on else self.beginning)


def earlier_head(job: Job, data: TrainingData, how: TrainingOptions) -> Earlier:
    """What the served version has for a training of these data."""
    from model.loading import load_version
    from model.student.crossed import CrossedStudent
    from model.student.head import HeadStudent

    now = {"rows": len(data), "labels": int(data.human.sum()), "teacher": job.current.teacher_version, "since": 0}
    row = versions.get(job.services.engine, job.number, job.current.served_version)
    if row is None or not may_go_on(row.metrics.get("training", {}), now, how):
        return Earlier(None, now, now)
    try:
        student = load_version(job.services.registry.fetch(job.number, row.version))
    except ArtifactError as error:
        log.error("the training begins anew: the served version cannot be loaded", reason=str(error))
        return Earlier(None, now, now)
    student = student.alone if isinstance(student, CrossedStudent) else student
    before = row.metrics["training"]["found"]["anew"]
    going_on = {**before, "since": before["since"] + 1}
    return Earlier(student if isinstance(student, HeadStudent) else None, going_on, now)


def may_go_on(training: Mapping[str, Any], now: Mapping[str, Any], how: TrainingOptions) -> bool:
    """Whether a version learned nearly what is known `now`, in the same way; `training` is its report."""
    found = training.get("found", {})
    before = found.get("anew")
    if before is None or before["teacher"] != now["teacher"] or before["since"] >= IN_A_ROW:
        return False
    if abs(now["rows"] - before["rows"]) > GROWTH * before["rows"]:
        return False
    if not 0 <= now["labels"] - before["labels"] <= max(LABELS, before["labels"]):
        return False
    if training.get("unlabelled_rows") or found.get("held_out_floor", {}).get("taken"):
        return False
    return bool(training.get("settings") == json.loads(json.dumps(how.to_json())))
