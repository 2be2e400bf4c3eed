"""A small network on frozen embeddings, served with numpy alone; `head_training` trains it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.arrays import Embed, FloatArray, softmax
from model.calibration import tempered
from model.labels import LabelSpace
from model.student.artifact import write_artifact


def head_logits(weights: dict[str, FloatArray], vectors: FloatArray) -> FloatArray:
    """Logits `(n, C)` float32 of vectors `(n, d)`: standardise, optional hidden layer (ReLU), linear layer."""
    states = np.asarray((vectors - weights["mean"]) * weights["scale"], dtype=np.float32)
    if "hidden" in weights:
        states = np.maximum(states @ weights["hidden"] + weights["hidden_bias"], 0.0)
    logits: FloatArray = states @ weights["out"] + weights["out_bias"]
    return logits


class HeadStudent:
    """A student whose network is a head on frozen embeddings of `encoder`.

    Several heads (an ensemble of seeds) answer with the mean of their probabilities, which the temperature corrects.
    """

    kind = "head"

    def __init__(
        self, space: LabelSpace, encoder: str, heads: Sequence[dict[str, FloatArray]], temperature: float = 1.0,
        runtime: str = "float32",
    ) -> None:  # fmt: skip
        self.space, self.encoder, self.runtime = space, encoder, runtime
        self.heads, self.temperature = list(heads), temperature

    def probabilities(self, texts: Sequence[str], embed: Embed | None = None) -> FloatArray:
        """Float32 `(n, C)`, rows sum to 1, temperature applied. Without `embed` the encoder is loaded."""
        if embed is None:
            from model.encoder.runtimes import open_encoder

            embed = open_encoder(self.encoder, self.runtime).embed
        return self.of_vectors(embed(texts))

    def of_vectors(self, vectors: FloatArray) -> FloatArray:
        """The same for vectors `(n, d)` that are already there."""
        total = np.zeros((len(vectors), len(self.space)), np.float32)
        for weights in self.heads:
            total += softmax(head_logits(weights, vectors))
        total /= np.float32(len(self.heads))
        return total if self.temperature == 1.0 else tempered(total, self.temperature)

    def save(self, folder: Path) -> None:
        """Write student.safetensors, student.json and README.md into `folder`."""
        write_artifact(folder, self, self.tensors(), {"heads": len(self.heads), "runtime": self.runtime})

    def tensors(self) -> dict[str, FloatArray]:
        """All heads' arrays, named as `load` wants them."""
        return {f"{number}.{name}": array for number, head in enumerate(self.heads) for name, array in head.items()}

    @classmethod
    def load(
        cls, space: LabelSpace, encoder: str, temperature: float, tensors: dict[str, FloatArray], heads: int,
        runtime: str = "float32",
    ) -> HeadStudent:  # fmt: skip
        """The inverse of `save`; KeyError if a tensor is missing."""
        found = [
            {name.split(".", 1)[1]: array for name, array in tensors.items() if name.startswith(f"{number}.")}
            for number in range(heads)
        ]
        for number, head in enumerate(found):
            for name in ("mean", "scale", "out", "out_bias"):
                if name not in head:
                    raise KeyError(f"{number}.{name}")
        return cls(space, encoder, found, temperature, runtime)
