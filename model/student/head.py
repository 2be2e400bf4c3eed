"""A small network on frozen embeddings, served with numpy alone; `head_training` trains it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.arrays import Embed, FloatArray, softmax
from model.calibration import tempered
from model.labels import LabelSpace
from model.pair_views import PairView
from model.student.artifact import write_artifact


def head_logits(weights: dict[str, FloatArray], vectors: FloatArray) -> FloatArray:
    """Logits `(n, C)` float32 of vectors `(n, d)`: standardise, optional hidden layer (ReLU), linear layer."""
    states = np.asarray((vectors - weights["mean"]) * weights["scale"], dtype=np.float32)
    if "hidden" in weights:
        states = np.maximum(states @ weights["hidden"] + weights["hidden_bias"], 0.0)
    logits: FloatArray = states @ weights["out"] + weights["out_bias"]
    return logits


def sigmoid(logits: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), without overflow."""
    shares: FloatArray = np.float32(0.5) * (np.float32(1.0) + np.tanh(np.float32(0.5) * logits))
    return shares


def shares_of(space: LabelSpace, logits: FloatArray) -> FloatArray:
    """Probabilities `(n, C)`: of each question a distribution, where several labels may be right one of each."""
    parts = [(sigmoid if group.kind == "any" else softmax)(logits[:, group.columns]) for group in space.groups]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, 1)


class HeadStudent:
    """A student whose network is a head on frozen embeddings of `encoder`.

    Several heads (an ensemble of seeds) answer with the mean of their probabilities, which the temperature corrects.
    Where several labels may be right each has a probability of its own, and is ticked from its one of `thresholds` on;
    several questions have a distribution each, or probabilities of their own. `view` says what it sees of tasks of two
    texts.
    """

    kind = "head"

    def __init__(
        self, space: LabelSpace, encoder: str, heads: Sequence[dict[str, FloatArray]], temperature: float = 1.0,
        runtime: str = "float32", thresholds: FloatArray | None = None, view: PairView | None = None,
    ) -> None:  # fmt: skip
        self.view = view
        self.space, self.encoder, self.runtime, self.thresholds = space, encoder, runtime, thresholds
        self.heads, self.temperature = list(heads), temperature

    def probabilities(self, texts: Sequence[str], embed: Embed | None = None) -> FloatArray:
        """Float32 `(n, C)`, rows sum to 1 unless an answer is a set of labels, temperature applied. Without `embed` the
        encoder is loaded."""
        if embed is None:
            from model.encoder.runtimes import open_encoder

            embed = open_encoder(self.encoder, self.runtime).embed
        return self.of_texts(texts, embed)

    def vectors(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        """What the heads see of texts, `(n, d)`: their vectors, or features of the two texts of each."""
        return (embed if self.view is None else self.view.embed(embed))(texts)

    def of_texts(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        """The same by the vectors of `embed`."""
        return self.of_vectors(self.vectors(texts, embed))

    def of_vectors(self, vectors: FloatArray) -> FloatArray:
        """The same for what `vectors` gives."""
        total = np.zeros((len(vectors), len(self.space)), np.float32)
        for weights in self.heads:
            total += shares_of(self.space, head_logits(weights, vectors))
        total /= np.float32(len(self.heads))
        if self.space.several:
            return total
        return total if self.temperature == 1.0 else tempered(total, self.temperature)

    def save(self, folder: Path) -> None:
        """Write student.safetensors, student.json and README.md into `folder`."""
        write_artifact(folder, self, self.tensors(), self.described())

    def described(self) -> dict[str, object]:
        """What `load` wants to know beside the tensors."""
        limits = {} if self.thresholds is None else {"thresholds": [float(value) for value in self.thresholds]}
        pair = {} if self.view is None else {"pair": self.view.to_json()}
        return {"heads": len(self.heads), "runtime": self.runtime, **limits, **pair}

    def tensors(self) -> dict[str, FloatArray]:
        """All heads' arrays, named as `load` wants them."""
        return {f"{number}.{name}": array for number, head in enumerate(self.heads) for name, array in head.items()}

    @classmethod
    def load(
        cls, space: LabelSpace, encoder: str, temperature: float, tensors: dict[str, FloatArray], heads: int,
        runtime: str = "float32", thresholds: Sequence[float] | None = None, view: PairView | None = None,
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
        limits = None if thresholds is None else np.array(thresholds, np.float32)
        return cls(space, encoder, found, temperature, runtime, limits, view)


def constant_head(space: LabelSpace, encoder: str, shares: FloatArray, width: int, runtime: str) -> HeadStudent:
    """A student that answers every text with `shares` `(C,)`, whatever its vector of `width` says."""
    head = {
        "mean": np.zeros(width, np.float32),
        "scale": np.ones(1, np.float32),
        "out": np.zeros((width, len(space)), np.float32),
        "out_bias": np.log(shares).astype(np.float32),
    }
    return HeadStudent(space, encoder, [head], runtime=runtime)
