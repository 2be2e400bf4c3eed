"""What every student can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from model.arrays import Embed, FloatArray
from model.labels import LabelSpace


class Student(Protocol):
    """A trained classifier over a label space."""

    space: LabelSpace
    kind: str
    encoder: str  # the value of the setting STUDENT_ENCODER
    temperature: float

    @property
    def thresholds(self) -> FloatArray | None:
        """From which probability on each label is ticked, `(C,)`, where an answer is a set of labels, else None.

        Those of a question that is left to the teacher are decoding.NEVER."""

    def probabilities(self, texts: Sequence[str], embed: Embed | None = None) -> FloatArray:
        """Float32 `(n, C)`, rows sum to 1 unless an answer is a set of labels, temperature applied; `embed` spares the
        encoder where vectors are cached."""

    def save(self, folder: Path) -> None:
        """Write safetensors + student.json + README.md into `folder`."""
