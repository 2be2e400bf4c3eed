"""What a training knows of the pool, read at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.pool import candidates, standing, tasks
from backend.pool.annotations import human_labels
from backend.pool.text import text_hash
from backend.projects.job import Job
from model.labels import CandidateSet, Decision, HumanLabel, LabelSpace

CHUNK = 2000  # tasks that are read at once


@dataclass(frozen=True)
class Snapshot:
    """What a training sees: everything is read once, at its start. Mappings are by task id."""

    space: LabelSpace
    texts: Mapping[int, str]
    sets: Mapping[int, CandidateSet]
    labels: Mapping[int, HumanLabel]
    changes: int
    asked: int = 0  # tasks that the teacher had been shown

    def final(self, task: int) -> bool:
        """Whether a person has decided the task for good."""
        return task in self.labels and self.labels[task].decision is Decision.FINAL


def read_snapshot(job: Job) -> Snapshot:
    """Texts, candidate sets of the current teacher version, and human labels, as they are now."""
    engine, current = job.services.engine, job.current
    space = current.space
    stored = candidates.read(engine, job.number, current.teacher_version, None)
    texts = dict(pair for chunk in tasks.iterate(engine, job.number, CHUNK) for pair in chunk)
    hashes = {task: text_hash(texts[task]) for task in stored if task in texts}
    replies = standing.about(stored, hashes)
    sets = {task: reply.candidates for task, reply in replies.items() if reply.candidates is not None}
    decisions = human_labels(engine, job.number)
    labels = {task: label for task, label in decisions.items() if standing.known(label.labels, space.names)}
    return Snapshot(space, texts, sets, labels, current.project.changes, len(stored))
