"""What a training knows of the pool, read at one moment.

Of a large pool it is a part, drawn anew for every version: all tasks that people decided, and of the others at most
50,000 that the teacher answered and 50,000 that it did not. So a training costs the same however large the pool is,
and as each goes on from the one before, all tasks have their turn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from backend.pool import acquisition, candidates, queries, standing, tasks, versions
from backend.pool.annotations import learnable
from backend.pool.text import text_hash
from backend.projects.job import Job
from backend.training.consensus import with_consensus
from model.labels import CandidateSet, Decision, HumanLabel, LabelSpace
from model.pairs import Pair

PART = 50_000  # tasks with an answer of the teacher, and as many without one, that a training reads


@dataclass(frozen=True)
class Snapshot:
    """What a training sees: everything is read once, at its start. Mappings are by task id, `texts` and `sets` of the
    part that is learned from; counts are of the whole pool."""

    space: LabelSpace
    texts: Mapping[int, str]
    sets: Mapping[int, CandidateSet]
    labels: Mapping[int, HumanLabel]
    changes: int
    asked: int = 0  # tasks that the teacher had been shown
    propensities: Mapping[int, float] = field(default_factory=dict)  # how people came to tasks, where that is known
    pair: Pair | None = None  # which two texts of a task are compared, and what tasks share
    answered: int = 0  # tasks with a candidate set
    tasks: int = 0

    @property
    def is_part(self) -> bool:
        """Whether there are more tasks than are learned from."""
        return len(self.texts) < self.tasks

    def final(self, task: int) -> bool:
        """Whether a person has decided the task for good."""
        return task in self.labels and self.labels[task].decision is Decision.FINAL


def read_snapshot(job: Job) -> Snapshot:
    """Texts, candidate sets of the current teacher version, and human labels, as they are now."""
    engine, current = job.services.engine, job.current
    space, teacher = current.space, current.teacher_version
    decisions = learnable(engine, job.number)
    part = _part(job, decisions)
    stored = candidates.read(engine, job.number, teacher, part)
    texts = dict(sorted(tasks.texts(engine, job.number, part or tasks.all_ids(engine, job.number)).items()))
    hashes = {task: text_hash(texts[task]) for task in stored if task in texts}
    replies = standing.about(stored, hashes)
    sets = {task: reply.candidates for task, reply in replies.items() if reply.candidates is not None}
    labels = {task: label for task, label in decisions.items() if standing.known(label.labels, space.names)}
    labels = with_consensus(engine, job.number, space, labels)
    chances = acquisition.propensities(engine, job.number, decisions)
    pair = queries.shared(engine, job.number, current.pair, texts)
    counts = (len(stored), len(sets), len(texts))
    if part is not None:
        whole = candidates.figures(engine, job.number, teacher)
        counts = (whole.count, whole.answered, tasks.count(engine, job.number))
    asked, answered, number = counts
    return Snapshot(space, texts, sets, labels, current.project.changes, asked, chances, pair, answered, number)


def _part(job: Job, decided: Collection[int]) -> list[int] | None:
    """The tasks that this training reads, ascending; None where the pool has no more than can be read."""
    import numpy as np

    engine, number = job.services.engine, job.number
    teacher, total = job.current.teacher_version, tasks.count(engine, number)
    if total <= PART:
        return None
    last = next((row.number for row in versions.list_versions(engine, number)), 0)
    draw = np.random.default_rng([number, last])
    answered = rest = np.array(candidates.tasks(engine, number, teacher), np.int64)
    if len(answered) < total:  # else no other ids need be read
        rest = np.array(tasks.all_ids(engine, number), np.int64)
    chosen = [np.fromiter(decided, np.int64, len(decided))]
    for ids in (answered, np.setdiff1d(rest, answered, assume_unique=True)):
        chosen.append(ids if len(ids) <= PART else draw.choice(ids, PART, replace=False))
    found: list[int] = np.unique(np.concatenate(chosen)).tolist()
    return found
