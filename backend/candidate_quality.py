"""The teacher's candidate sets against people's labels: coverage, size, what they leave open, and per label."""

from __future__ import annotations

from typing import Any

from backend.pool import pairs
from backend.pool.projects import Project
from backend.services import Services
from model.evaluation import candidate_report


def candidate_quality(services: Services, project: Project, version: str) -> dict[str, Any] | None:
    """The figures of a teacher version on the tasks that people decided; None before there is one.

    `inseparable` are labels that nearly always come together, so that no student can part them; `per_class` is coverage
    by the person's label, with Wilson 95 % intervals.
    """
    found = pairs.of_teacher(services.engine, project.project, version)
    if project.space is None or not found:
        return None
    report = candidate_report([pair.predicted for pair in found], [pair.label for pair in found], len(project.space))
    return report.to_json()
