"""What a training knows of the pool, read at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.pool import acquisition, candidates, queries, standing, tasks
from backend.pool.annotations import learnable
from backend.pool.text import text_hash
from backend.projects.job import Job
from backend.training.consensus import with_consensus
from model.labels import CandidateSet, Decision, HumanLabel, LabelSpace
from model.pairs import Pair

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
    propensities: Mapping[int, float] = field(default_factory=dict)  # how people came to tasks, where that is known
    pair: Pair | None = None  # which two texts of a task are compared, and what tasks share

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
    decisions = learnable(engine, job.number)
    labels = {task: label for task, label in decisions.items() if standing.known(label.labels, space.names)}
    labels = with_consensus(engine, job.number, space, labels)
    chances = acquisition.propensities(engine, job.number, decisions)
    pair = queries.shared(engine, job.number, current.pair, texts)
    return Snapshot(space, texts, sets, labels, current.project.changes, len(stored), chances, pair)
