"""Members of a committee: anything that answers texts with probabilities over the project's labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from model.arrays import Embed, FloatArray
from model.labels import LabelSpace
from model.student.student import Student


class Member(Protocol):
    """A small model with a seat. `trainable` members are fine-tuned in stages, the others stay as they are."""

    name: str
    space: LabelSpace
    trainable: bool

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Float32 `(n, C)`; rows sum to 1, or are all 0 where the member abstains."""

    def save(self, folder: Path) -> None:
        """Write the member into `folder`, without pickle."""


class StudentMember:
    """A student of ours. `embed` shares one cache of embeddings among all members with the same encoder."""

    trainable = True

    def __init__(self, name: str, student: Student, embed: Embed | None = None) -> None:
        self.name, self.space = name, student.space
        self.student, self._embed = student, embed

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """The student's answers."""
        return self.student.probabilities(texts, self._embed)

    def lend(self, embed: Embed) -> None:
        """Use a cache of embeddings, if there is none yet."""
        self._embed = self._embed or embed

    def save(self, folder: Path) -> None:
        """Write the student."""
        self.student.save(folder)


def member_probabilities(members: Sequence[Member], texts: Sequence[str]) -> FloatArray:
    """Answers of all members, float32 `(k, n, C)`. ValueError if their label spaces differ."""
    if not members:
        raise ValueError("a committee needs members")
    if len({member.space.hash for member in members}) > 1:
        raise ValueError(f"members answer different label spaces: {', '.join(m.name for m in members)}")
    return np.stack([member.probabilities(texts) for member in members]).astype(np.float32)
