"""A student with an encoder of its own, adapted to people's labels, and heads on its vectors."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.arrays import BoolArray, Embed, FloatArray
from model.encoder.export import write_exported
from model.encoder.exported import DESCRIPTION, FORMS
from model.errors import ArtifactError
from model.pair_views import PairView
from model.text_groups import text_key

if TYPE_CHECKING:
    from model.encoder.batching import Batching
    from model.encoder.encoder import Encoder
    from model.student.head import HeadStudent
    from model.student.student import Student

SEEN = "seen.json"


@dataclass(eq=False)
class AdaptedEncoder:
    """Weights in a folder, which texts they have learned from, and how they are run (float32 or bfloat16).

    `embeddings` is set where vectors are cached.
    """

    folder: Path
    seen: frozenset[str]
    runtime: str = "float32"
    embeddings: Embed | None = None

    @cached_property
    def encoder(self) -> Batching:
        """What embeds, loaded when it is first used: the exported form where there is no torch. EncoderError if it
        cannot be loaded."""
        from model.encoder.exported import has_torch, open_exported

        if not has_torch():
            return open_exported(self.folder)
        return self._loaded(half=True) if self.runtime == "bfloat16" else self.trained

    @cached_property
    def trained(self) -> Encoder:
        """The encoder in torch and float32, as it was trained; EncoderError if it cannot be loaded."""
        return self._loaded()

    def _loaded(self, half: bool = False) -> Encoder:
        from model.encoder.encoder import Encoder
        from model.encoder.loading import load_own

        return Encoder(str(self.folder), load_own(self.folder), half=half)

    def run_in(self, runtime: str) -> None:
        """Run it in float32 or bfloat16 from now on; vectors are no longer taken from a cache."""
        self.runtime, self.embeddings = runtime, None
        self.__dict__.pop("encoder", None)

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """L2-normalised float32 `(n, d)`."""
        return (self.embeddings or self.encoder.embed)(texts)

    def knows(self, texts: Sequence[str]) -> BoolArray:
        """Which of these texts it has learned from, `(n,)`."""
        keys = ((text_key(text), _exact_key(text)) for text in texts)
        return np.fromiter((not self.seen.isdisjoint(pair) for pair in keys), np.bool_, len(texts))

    def keep(self) -> None:
        """Move the weights to a folder that lives as long as this object; ArtifactError says why not."""
        folder = folder_of(self)
        try:
            for path in self.folder.iterdir():
                shutil.move(path, folder / path.name)
        except OSError as error:
            raise ArtifactError(f"the adapted encoder cannot be moved to {folder}: {error}") from error
        self.folder = folder

    def copy_to(self, folder: Path) -> None:
        """Put weights, tokenizer and `seen.json` into `folder`; ArtifactError says why not."""
        from model.student.artifact import CARD, CROSS, CROSS_WEIGHTS, DESCRIPTION, WEIGHTS

        others = (WEIGHTS, DESCRIPTION, CARD, "card.json", "manifest.json", CROSS, CROSS_WEIGHTS)
        try:
            for path in self.folder.iterdir():
                if path.is_file() and path.name not in others:
                    shutil.copy2(path, folder / path.name)
            (folder / SEEN).write_text(json.dumps(sorted(self.seen)))
        except OSError as error:
            raise ArtifactError(f"the adapted encoder cannot be written to {folder}: {error}") from error


def folder_of(owner: object) -> Path:
    """A new folder that goes when its owner does."""
    folder = Path(tempfile.mkdtemp(prefix="shortlist-encoder-"))
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder


def _exact_key(text: str) -> str:
    """What stood for a text in `seen.json` before texts that read the same were one."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_adapted(folder: Path, runtime: str = "float32") -> AdaptedEncoder:
    """The encoder of a stored student, run as in its training; ArtifactError names the file."""
    try:
        seen = json.loads((folder / SEEN).read_text())
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder / SEEN}: cannot be read ({error})") from error
    if not isinstance(seen, list) or not all(isinstance(key, str) for key in seen):
        raise ArtifactError(f"{folder / SEEN}: is not a list of text keys")
    return AdaptedEncoder(folder, frozenset(seen), runtime)


class AdaptedStudent:
    """Heads on the vectors of an adapted encoder that the student keeps in its own folder.

    `encoder` is the setting from which the adaptation started.
    """

    kind = "adapted"

    def __init__(self, heads: HeadStudent, own: AdaptedEncoder) -> None:
        self._top, self.own = heads, own
        self.space, self.encoder = heads.space, heads.encoder

    @property
    def runtime(self) -> str:
        """How its encoder is run: as in its training."""
        return self.own.runtime

    @property
    def heads(self) -> list[dict[str, FloatArray]]:
        """Weights of the heads, as a head student's."""
        return self._top.heads

    @property
    def thresholds(self) -> FloatArray | None:
        """As a head student's."""
        return self._top.thresholds

    @property
    def temperature(self) -> float:
        """Divides the logits of every head."""
        return self._top.temperature

    @temperature.setter
    def temperature(self, value: float) -> None:
        self._top.temperature = value

    def probabilities(self, texts: Sequence[str], embed: Embed | None = None) -> FloatArray:
        """Float32 `(n, C)`, rows sum to 1, temperature applied. `embed` is not used: it has its own encoder."""
        return self.of_texts(texts, self.own.embed)

    @property
    def view(self) -> PairView | None:
        """As a head student's."""
        return self._top.view

    def vectors(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        """What the heads see of texts by an encoder, as a head student's."""
        return self._top.vectors(texts, embed)

    def of_texts(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        """The probabilities by the vectors of `embed`, which are those of its own encoder."""
        return self._top.of_texts(texts, embed)

    def of_vectors(self, vectors: FloatArray) -> FloatArray:
        """The same for what `vectors` gives of its own encoder."""
        return self._top.of_vectors(vectors)

    def save(self, folder: Path) -> None:
        """Write the heads as any student's, with this kind, and the encoder beside them, all in `folder`."""
        from model.student.artifact import write_artifact

        write_artifact(folder, self, self._top.tensors(), {**self._top.described(), "runtime": self.runtime})
        self.own.copy_to(folder)


class Carrying:
    """A student that is stored together with its own encoder in exported form."""

    def __init__(self, student: Student, encoder: Encoder) -> None:
        self._student, self._encoder = student, encoder

    def save(self, folder: Path) -> None:
        """As the student's `save`."""
        self._student.save(folder)
        if not (folder / DESCRIPTION).is_file():  # an encoder that an earlier version adapted brings its export along
            write_exported(self._encoder, FORMS[0], folder)
