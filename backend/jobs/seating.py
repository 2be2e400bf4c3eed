"""MODE=committee: the members are trained instead of one student, and none of them may get worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from backend.jobs.predicting import embedder, registry
from backend.jobs.running import Job
from backend.services import label_space, served_version
from backend.settings import ProjectOptions
from model.errors import ArtifactError

if TYPE_CHECKING:
    from model.committee import Committee
    from model.student.data import TrainingData
    from model.student.options import Progress, Stop, TrainingOptions, TrainingReport

log = structlog.get_logger(__name__)


def train_members(
    job: Job,
    options: ProjectOptions,
    data: TrainingData,
    how: TrainingOptions,
    held: Sequence[tuple[str, str]],
    progress: Progress,
    stop: Stop,
) -> tuple[Committee, TrainingReport]:
    """A new committee. A member that does worse than the served one of its name on the set-aside human labels
    `held` (text, label), beyond noise, keeps its old self; the report says why."""
    import numpy as np

    from model.committee.training import train_committee, without_harm
    from model.roster import Roster

    space = label_space(job.project)
    new, report = train_committee(space, data, Roster.of(options.COMMITTEE), how, embedder(job), progress, stop)
    old = served_committee(job)
    if old is not None and held:
        gold = np.array([space.index(label) for _, label in held], np.int64)
        new, gates = without_harm(old, new, [text for text, _ in held], gold)
        report.found = {**report.found, "gates": {name: gate.to_json() for name, gate in gates.items()}}
    return new, report


def served_committee(job: Job) -> Committee | None:
    """The committee that is served now; None if a teacher or a single student is, or if it cannot be loaded."""
    from model.committee import Committee

    version = served_version(job.services, job.project)
    if not version.startswith("committee-"):
        return None
    try:
        committee = Committee.load(registry(job).fetch(job.number, version), embedder(job))
    except ArtifactError as error:
        log.error("the served committee cannot be compared with", version=version, reason=str(error))
        return None
    return committee
