"""A student of pairs whose answers are the mean of its own and of a cross-encoder's, which reads both texts at once.

The cross-encoder costs milliseconds for every pair, and nothing of one pair helps with another, so that it answers each
text once in the life of an object, and once for all versions that share it where its answers are kept on disk. Where
there is no torch the student answers alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.arrays import Embed, FloatArray
from model.calibration import tempered
from model.encoder.embeddings import EmbeddingCache
from model.encoder.exported import has_torch
from model.errors import ArtifactError
from model.pair_views import PairView
from model.student.adapted import AdaptedEncoder, AdaptedStudent
from model.student.artifact import CROSS, CROSS_WEIGHTS
from model.student.head import HeadStudent

if TYPE_CHECKING:
    from model.student.cross_encoder import CrossEncoder

MOST_KEPT = 100_000  # answers in memory


@dataclass
class Answers:
    """What a cross-encoder says, as a cache of vectors keeps it: `dimension` is the number of labels."""

    cross: CrossEncoder
    identity: str
    dimension: int

    def embed(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> FloatArray:
        """Probabilities `(n, C)`."""
        return self.cross.probabilities(texts)


class CrossedStudent:
    """`alone`, the student itself, and a cross-encoder: the object, or the folder that it is loaded from at its first
    use. `temperature` corrects the mean of both."""

    thresholds = None
    portion = 16  # pairs of one call while somebody waits: a fraction of a second

    def __init__(
        self, alone: HeadStudent | AdaptedStudent, cross: CrossEncoder | Path, temperature: float = 1.0
    ) -> None:
        self.alone, self._given, self.temperature = alone, cross, temperature
        self.space, self.encoder, self.kind = alone.space, alone.encoder, alone.kind
        self._said: dict[str, FloatArray] = {}
        self._folder: Path | None = None

    @property
    def runtime(self) -> str:
        """How the student's own encoder is run."""
        return self.alone.runtime

    @property
    def view(self) -> PairView | None:
        """What the student itself sees."""
        return self.alone.view

    @property
    def own(self) -> AdaptedEncoder | None:
        """The student's own encoder, if it has one."""
        return self.alone.own if isinstance(self.alone, AdaptedStudent) else None

    @cached_property
    def cross(self) -> CrossEncoder | None:
        """The cross-encoder; None where there is no torch. ArtifactError or EncoderError if it cannot be loaded."""
        if not isinstance(self._given, Path):
            return self._given
        return read_cross(self._given, self.alone) if has_torch() else None

    def keep_answers(self, folder: Path) -> None:
        """Keep what the cross-encoder says on disk, where every version that shares it finds it."""
        self._folder = folder

    @cached_property
    def _reads(self) -> Embed | None:
        """From texts to what is proportional to the cross-encoder's probabilities."""
        if self.cross is None or self._folder is None:
            return None if self.cross is None else self.cross.probabilities
        return EmbeddingCache(self._folder, Answers(self.cross, self.cross.identity, len(self.space))).embed

    def probabilities(self, texts: Sequence[str], embed: Embed | None = None) -> FloatArray:
        """Float32 `(n, C)`, rows sum to 1, temperature applied."""
        return self._with_cross(texts, self.alone.probabilities(texts, embed))

    def of_texts(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        """The same, the student's own part by the vectors of `embed`."""
        return self._with_cross(texts, self.alone.of_texts(texts, embed))

    def save(self, folder: Path) -> None:
        """Write the student itself, and the cross-encoder beside it; ArtifactError says why not."""
        from safetensors.numpy import save_file

        self.alone.save(folder)
        cross = self.cross
        if cross is None:
            raise ArtifactError(f"{folder}: a student with a cross-encoder is stored only where torch is installed")
        try:
            save_file(cross.tensors(), folder / CROSS_WEIGHTS)
            (folder / CROSS).write_text(json.dumps({"temperature": self.temperature}))
        except OSError as error:
            raise ArtifactError(f"the cross-encoder cannot be written to {folder}: {error}") from error

    def _with_cross(self, texts: Sequence[str], own: FloatArray) -> FloatArray:
        if self._reads is not None and len(texts):
            own = (own + self._read(self._reads, texts)) / np.float32(2)
        return own if self.temperature == 1.0 else tempered(own, self.temperature)

    def _read(self, reads: Embed, texts: Sequence[str]) -> FloatArray:
        """What the cross-encoder says, from memory where it has said so before."""
        new = [text for text in dict.fromkeys(texts) if text not in self._said]
        fresh = dict(zip(new, reads(new), strict=True)) if new else {}
        found: FloatArray = np.stack([fresh[text] if text in fresh else self._said[text] for text in texts])
        found /= found.sum(1, keepdims=True)
        if len(self._said) + len(fresh) > MOST_KEPT:
            self._said.clear()
        self._said.update(fresh)
        return found


def read_cross(folder: Path, alone: HeadStudent | AdaptedStudent) -> CrossEncoder:
    """The cross-encoder of a stored student; ArtifactError or EncoderError says what is missing."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from model.student.cross_encoder import CrossEncoder

    path = folder / CROSS_WEIGHTS
    if alone.view is None:
        raise ArtifactError(f"{path}: a cross-encoder reads two texts, and this student is of single ones")
    try:
        tensors = dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error})") from error
    cross = CrossEncoder(alone.view.pair, alone.encoder, len(alone.space))
    cross.fill(tensors, path)
    return cross


def with_stored_cross(
    folder: Path, alone: HeadStudent | AdaptedStudent
) -> HeadStudent | AdaptedStudent | CrossedStudent:
    """The student of a folder with the cross-encoder that lies beside it, if one does."""
    path = folder / CROSS
    if not path.is_file():
        return alone
    try:
        stored: Any = json.loads(path.read_text())
        return CrossedStudent(alone, folder, float(stored["temperature"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error})") from error
