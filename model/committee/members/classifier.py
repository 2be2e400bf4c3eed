"""An existing transformers classifier as a member: by hub name or folder, with an explicit label map."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.arrays import FloatArray
from model.committee.members.label_map import LabelMap
from model.committee.members.origin import read_origin, write_origin
from model.labels import LabelSpace

if TYPE_CHECKING:
    from model.committee.members.sklearn_pipeline import PipelineMember

DESCRIPTION = "existing.json"
BATCH = 32
LONGEST = 256  # tokens


class ExistingMember:
    """A sequence-classification model that others trained. It votes, but is never fine-tuned by a stage."""

    trainable = False

    def __init__(
        self, name: str, space: LabelSpace, place: str, targets: Mapping[str, str | None], download: bool = True
    ) -> None:
        """Load the model at once, so that a wrong map is refused before it votes; fetch nothing without `download`.

        ArtifactError if the weights cannot be loaded as safetensors, LabelSpaceError if the map is not complete.
        """
        from model.encoder.pretrained import text_classifier

        self.name, self.space, self.place = name, space, place
        self._tokenizer, self._model = text_classifier(place, download=download)
        names = self._model.config.id2label
        self.map = LabelMap(space, tuple(str(names[number]) for number in sorted(names)), targets)
        self._lock = threading.Lock()

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Float32 `(n, C)`, zeros where its best label is mapped to null."""
        parts = [self._batch(list(texts[start : start + BATCH])) for start in range(0, len(texts), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.space)), np.float32)

    def _batch(self, texts: list[str]) -> FloatArray:
        import torch

        with self._lock, torch.inference_mode():
            inputs = self._tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
            found: FloatArray = torch.softmax(self._model(**inputs).logits.float(), dim=1).numpy()
        return self.map.apply(found)

    def save(self, folder: Path) -> None:
        """Write where the model lies and its map; the weights stay where they are."""
        write_origin(folder / DESCRIPTION, self.name, self.place, self.map)

    @classmethod
    def load(cls, folder: Path) -> ExistingMember:
        """The inverse of `save`; ArtifactError names the file."""
        with read_origin(folder / DESCRIPTION) as origin:
            return cls(*origin)


def open_existing(
    name: str, space: LabelSpace, place: str, targets: Mapping[str, str | None], download: bool = True
) -> ExistingMember | PipelineMember:
    """A classifier of others: a scikit-learn pipeline where the place ends with .skops, else a transformers model."""
    from model.committee.members.sklearn_pipeline import ENDING, PipelineMember

    if place.endswith(ENDING):
        return PipelineMember(name, space, place, targets)
    return ExistingMember(name, space, place, targets, download)
