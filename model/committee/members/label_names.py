"""A zero-shot member: texts against the names of the labels, on the encoder that the students share. Needs no label."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from model.acquisition.base_model import LabelSimilarity
from model.arrays import Embed, FloatArray
from model.errors import ArtifactError, LabelSpaceError
from model.labels import LabelSpace

DESCRIPTION = "names.json"
TEMPERATURE = 0.05


class NamesMember:
    """Cosine of a text with each label's title and hint, over a temperature."""

    trainable = False

    def __init__(self, name: str, space: LabelSpace, embed: Embed, temperature: float = TEMPERATURE) -> None:
        """The labels are embedded once, here."""
        self.name, self.space, self.temperature = name, space, temperature
        self._embed = embed
        titles = [f"{label.title} {label.hint}".strip() for label in space.labels]
        self._score = LabelSimilarity(embed(titles), temperature)

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Float32 `(n, C)`."""
        return self._score(self._embed(texts))

    def save(self, folder: Path) -> None:
        """Write names.json; vectors are computed again when it is loaded."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {"format": 1, "name": self.name, "temperature": self.temperature, "label_space": self.space.to_json()}
        (folder / DESCRIPTION).write_text(json.dumps(content, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path, embed: Embed | None) -> NamesMember:
        """The inverse of `save`; ArtifactError names the file. Without `embed` the default encoder is loaded."""
        path = folder / DESCRIPTION
        try:
            content = json.loads(path.read_text())
            space, temperature = LabelSpace.from_json(content["label_space"]), float(content["temperature"])
            name = str(content["name"])
        except (OSError, ValueError, KeyError, TypeError, LabelSpaceError) as error:
            raise ArtifactError(f"{path}: not a stored member ({error!r})") from error
        if embed is None:
            from model.encoder.encoder import load_encoder

            embed = load_encoder().embed
        return cls(name, space, embed, temperature)
