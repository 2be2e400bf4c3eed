"""A pool to finish: texts as vectors, what a teacher said about them, and the labels that people would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks.shared.datasets import Job, chosen_rows, said_by
from benchmarks.shared.linear_student import LinearStudent, fit
from model.arrays import BoolArray, Doubles, Embed, FloatArray, IntArray
from model.encoder.embeddings import EmbeddingCache
from model.encoder.runtimes import preferred, sleeping

FIRST = 40  # tasks that people decide before the audit
WEIGHT = 0.3  # of a teacher's answer beside a person's; chosen on trec


@dataclass(frozen=True)
class Pool:
    """`vectors` `(n, d)`, `said` by the teacher `(n, C)`, `gold` `(n,)` as label numbers, whether a teacher
    `answered` `(n,)`, and a `draw` of its seed."""

    name: str
    seed: int
    vectors: FloatArray
    said: FloatArray
    gold: IntArray
    paid: bool
    answered: BoolArray

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def draw(self) -> np.random.Generator:
        """Random numbers that are the same for every method."""
        return np.random.default_rng(self.seed)

    @property
    def calls(self) -> int:
        """Questions to an LLM about all of it."""
        return len(self) if self.paid else 0


def embedding(cache: Path) -> Embed:
    """What embeds texts for all commands here: vectors are kept in the folder, the encoder loads once one is new."""
    return EmbeddingCache(cache, sleeping("default", preferred(), cache)).embed


def pool(job: Job, seed: int, most: int, embed: Embed) -> Pool:
    """At most so many rows of the train part, drawn by the seed; texts without a teacher's answer are among them."""
    draw = np.random.default_rng(seed)
    rows = np.sort(draw.choice(len(job.train), min(most, len(job.train)), replace=False)).tolist()
    part = chosen_rows(job.train, rows)
    even = np.full(len(job.space), 1 / len(job.space), np.float32)
    said = np.stack([said_by(found, job.space) if found is not None else even for found in part.answers])
    gold = np.array([job.space.index(label) for label in part.gold], np.int64)
    answered = np.array([found is not None for found in part.answers], np.bool_)
    return Pool(job.name, seed, embed(part.texts), said, gold, job.teacher != "similarity", answered)


def first_labels(pool: Pool) -> BoolArray:
    """The tasks that people decide before anything is chosen, drawn at random `(n,)`."""
    found = np.zeros(len(pool), bool)
    found[np.random.default_rng(pool.seed + 1).choice(len(pool), min(FIRST, len(pool)), replace=False)] = True
    return found


Teach: TypeAlias = Callable[[Pool, BoolArray], FloatArray]


def taught(pool: Pool, known: BoolArray) -> FloatArray:
    """Probabilities `(n, C)` of a student that learned the teacher's answers, and people's where `known`."""
    targets = pool.said.copy()
    targets[known] = np.eye(pool.said.shape[1], dtype=np.float32)[pool.gold[known]]
    repeats = np.where(known, round(1 / WEIGHT), 1)
    rows = np.repeat(np.arange(len(pool)), repeats)
    student: LinearStudent = fit(pool.vectors[rows], targets[rows])
    return student(pool.vectors)


def doubts(shares: FloatArray) -> Doubles:
    """One minus the largest probability of each row."""
    found: Doubles = 1.0 - shares.max(axis=1).astype(np.float64)
    return found
