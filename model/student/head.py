"""A small network on frozen embeddings: trained with torch, served with numpy alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.calibration import tempered
from model.labels import LabelSpace
from model.student.artifact import write_artifact
from model.student.extra import filtered_consistency, mixup_loss
from model.student.options import Embed, TrainingOptions
from model.student.targets import BatchTargets

MASKS = 2048  # dropout masks of rows, from which every step takes a run


def head_logits(weights: dict[str, FloatArray], vectors: FloatArray) -> FloatArray:
    """Logits `(n, C)` float32 of vectors `(n, d)`: standardise, optional hidden layer (ReLU), linear layer."""
    states = np.asarray((vectors - weights["mean"]) * weights["scale"], dtype=np.float32)
    if "hidden" in weights:
        states = np.maximum(states @ weights["hidden"] + weights["hidden_bias"], 0.0)
    logits: FloatArray = states @ weights["out"] + weights["out_bias"]
    return logits


def softmax(logits: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Probabilities `(n, C)` float32 of `logits / temperature`."""
    scaled = logits / np.float32(temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    powers = np.exp(scaled)
    shares: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


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
            from model.student.runtimes import open_encoder

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


class HeadLearner:
    """Trains one head on vectors; see `Learner`. All randomness comes from the seed, so threads do not disturb it."""

    snapshot_rows = 8192

    def __init__(self, vectors: FloatArray, num_labels: int, options: TrainingOptions, steps: int) -> None:
        """`vectors` `(n, d)` may be float16 or mapped from disk; only batches become float32."""
        self._vectors = vectors
        self.rows, self.num_labels = len(vectors), num_labels
        self._random = torch.Generator().manual_seed(options.seed)
        self._dropout = options.dropout
        self._masks: dict[int, Tensor] = {}
        self._longest = max(options.batch or 512, 512)
        self._extra = options.method == "freeal"
        self._mean, self._scale = _standard(vectors)
        width = int(vectors.shape[1])
        sizes = [width, options.hidden, num_labels] if options.hidden else [width, num_labels]
        self._layers = [self._layer(*pair) for pair in itertools.pairwise(sizes)]
        rate = options.learning_rate or 2e-3
        self._optimiser = torch.optim.AdamW(self.parameters(), lr=rate, weight_decay=options.weight_decay, fused=True)
        self._schedule = torch.optim.lr_scheduler.LinearLR(self._optimiser, 1.0, 0.0, total_iters=max(1, steps))

    def _layer(self, inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
        weight = torch.empty(inputs, outputs).normal_(0.0, inputs**-0.5, generator=self._random)
        return weight.requires_grad_(), torch.zeros(outputs, requires_grad=True)

    def parameters(self) -> list[Tensor]:
        """Weights and biases of all layers."""
        return [tensor for layer in self._layers for tensor in layer]

    def logits(self, rows: Tensor) -> Tensor:
        """`(b, C)` with dropout on inputs and hidden units."""
        return self._forward(self._inputs(rows))

    def _forward(self, inputs: Tensor) -> Tensor:
        states = self._drop(inputs)
        for weight, bias in self._layers[:-1]:
            states = self._drop(torch.relu(states @ weight + bias))
        weight, bias = self._layers[-1]
        return states @ weight + bias

    def score(self, rows: Tensor) -> Tensor:
        """Log-probabilities `(b, C)` without dropout and gradient."""
        kept, self._dropout = self._dropout, 0.0
        try:
            with torch.no_grad():
                return torch.log_softmax(self.logits(rows), dim=1)
        finally:
            self._dropout = kept

    def extra_loss(self, rows: Tensor, found: BatchTargets, log_probs: Tensor) -> Tensor | None:
        """FreeAL's mixup over kept rows and consistency of filtered ones; the other methods have none in a head."""
        if not self._extra:
            return None
        inputs = self._inputs(rows)
        mixed = mixup_loss(inputs, found, self._forward, self._random)
        return mixed + filtered_consistency(self._forward(inputs), log_probs, found.used)

    def step(self, loss: Tensor) -> None:
        """One step of AdamW with linear decay."""
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._schedule.step()

    def weights(self) -> dict[str, FloatArray]:
        """Arrays for `head_logits`."""
        arrays = {"mean": self._mean, "scale": self._scale}
        names = ["hidden", "out"] if len(self._layers) == 2 else ["out"]
        for name, (weight, bias) in zip(names, self._layers, strict=True):
            arrays[name] = weight.detach().numpy().copy()
            arrays[f"{name}_bias"] = bias.detach().numpy().copy()
        return arrays

    def _inputs(self, rows: Tensor) -> Tensor:
        vectors = np.asarray(self._vectors[rows.numpy()], dtype=np.float32)
        return torch.from_numpy((vectors - self._mean) * self._scale)

    def _drop(self, states: Tensor) -> Tensor:
        if self._dropout <= 0:
            return states
        first = int(torch.randint(MASKS, (1,), generator=self._random))
        return states * self._mask(states.shape[1])[first : first + len(states)]

    def _mask(self, width: int) -> Tensor:
        """A bank of dropout masks, drawn once: drawing them for every step took a fifth of the time."""
        if width not in self._masks:
            kept = torch.rand((MASKS + self._longest, width), generator=self._random) >= self._dropout
            self._masks[width] = kept / (1.0 - self._dropout)
        return self._masks[width]


def _standard(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and one common scale from a sample, so that inputs have unit variance on average."""
    sample = np.asarray(vectors[:: max(1, len(vectors) // 4096)], dtype=np.float32)
    mean = sample.mean(axis=0)
    spread = float(np.sqrt(((sample - mean) ** 2).mean())) or 1.0
    return mean.astype(np.float32), np.full(1, 1.0 / max(spread, 1e-6), np.float32)
