"""Trains the head of a student on frozen embeddings, in torch."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.student.extra import filtered_consistency, mixup_loss
from model.student.options import TrainingOptions
from model.student.targets import BatchTargets

MASKS = 2048  # dropout masks of rows, from which every step takes a run


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
