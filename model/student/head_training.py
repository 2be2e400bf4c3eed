"""Trains the head of a student on frozen embeddings, in torch."""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.student.extra import filtered_consistency, mixup_loss
from model.student.options import TrainingOptions
from model.student.targets import BatchTargets

MASKS = 2048  # dropout masks of rows, from which every step takes a run
Shapes: TypeAlias = list[tuple[int, int]]  # inputs and outputs of every layer
Layers: TypeAlias = list[tuple[Tensor, Tensor]]  # weights and biases of every layer


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
        self._shapes = list(itertools.pairwise(sizes))
        self._flat = torch.zeros(sum((inputs + 1) * outputs for inputs, outputs in self._shapes))
        for weight, _ in _layers(self._flat, self._shapes):
            weight.normal_(0.0, len(weight) ** -0.5, generator=self._random)
        self._flat.requires_grad_()
        self._flat.grad = torch.zeros_like(self._flat)
        self._slopes = _layers(self._flat.grad, self._shapes)
        self._rate, self._steps, self._done = options.learning_rate or 2e-3, max(1, steps), 0
        self._optimiser = torch.optim.AdamW(
            self.parameters(), lr=self._rate, weight_decay=options.weight_decay, fused=True
        )

    def parameters(self) -> list[Tensor]:
        """Weights and biases of all layers, in one tensor: an optimiser's time grows with their number."""
        return [self._flat]

    def logits(self, rows: Tensor) -> Tensor:
        """`(b, C)` with dropout on inputs and hidden units."""
        return self._forward(self._inputs(rows))

    def _forward(self, inputs: Tensor) -> Tensor:
        masks = [self._mask(width, len(inputs)) for width, _ in self._shapes]
        found: Tensor = _Network.apply(self._flat, inputs, self._shapes, masks, self._slopes)  # type: ignore[no-untyped-call]
        return found

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
        assert self._flat.grad is not None, "it was made with the weights"
        self._flat.grad.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * max(0.0, 1.0 - self._done / self._steps)
        self._optimiser.step()
        self._done += 1

    def weights(self) -> dict[str, FloatArray]:
        """Arrays for `head_logits`."""
        arrays = {"mean": self._mean, "scale": self._scale}
        names = ["hidden", "out"] if len(self._shapes) == 2 else ["out"]
        for name, (weight, bias) in zip(names, _layers(self._flat.detach(), self._shapes), strict=True):
            arrays[name] = weight.numpy().copy()
            arrays[f"{name}_bias"] = bias.numpy().copy()
        return arrays

    def _inputs(self, rows: Tensor) -> Tensor:
        vectors = np.asarray(self._vectors[rows.numpy()], dtype=np.float32)
        return torch.from_numpy((vectors - self._mean) * self._scale)

    def _mask(self, width: int, rows: int) -> Tensor | None:
        """A dropout mask from a bank that is drawn once: drawing one for every step took a fifth of the time."""
        if self._dropout <= 0:
            return None
        first = int(torch.randint(MASKS, (1,), generator=self._random))
        if width not in self._masks:
            kept = torch.rand((MASKS + self._longest, width), generator=self._random) >= self._dropout
            self._masks[width] = kept / (1.0 - self._dropout)
        return self._masks[width][first : first + rows]


class _Network(torch.autograd.Function):
    """All layers as one function with its gradient written out: torch's record of each costs as much as they do."""

    @staticmethod
    def forward(
        ctx: Any, flat: Tensor, inputs: Tensor, shapes: Shapes, masks: list[Tensor | None], slopes: Layers
    ) -> Tensor:
        """Logits `(b, C)`: dropout on the inputs of every layer, ReLU between layers."""
        states = inputs if masks[0] is None else inputs * masks[0]
        kept = [states]
        layers = _layers(flat, shapes)
        for (weight, bias), mask in zip(layers[:-1], masks[1:], strict=True):
            states = torch.addmm(bias, states, weight).relu_()
            kept.append(states if mask is None else states.mul_(mask))
        ctx.layers, ctx.masks, ctx.kept, ctx.slopes = layers, masks, kept, slopes
        weight, bias = layers[-1]
        return torch.addmm(bias, kept[-1], weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Adds the gradient of weights and biases to `slopes`: tensors of their own cost as much as computing it."""
        for number in reversed(range(len(ctx.layers))):
            weight, bias = ctx.slopes[number]
            weight.addmm_(ctx.kept[number].T, gradient)
            bias.add_(gradient.sum(0))
            if number:
                gradient = gradient @ ctx.layers[number][0].T
                gradient.mul_(torch.sign(ctx.kept[number]))  # ReLU's slope
                if ctx.masks[number] is not None:
                    gradient.mul_(ctx.masks[number])
        return None, None, None, None, None


def _layers(flat: Tensor, shapes: Shapes) -> Layers:
    """Weights `(in, out)` and biases of all layers, as views into one tensor."""
    sizes = [size for inputs, outputs in shapes for size in (inputs * outputs, outputs)]
    parts = torch.split(flat, sizes)
    return [(parts[2 * number].view(shape), parts[2 * number + 1]) for number, shape in enumerate(shapes)]


def _standard(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and one common scale from a sample, so that inputs have unit variance on average."""
    sample = np.asarray(vectors[:: max(1, len(vectors) // 4096)], dtype=np.float32)
    mean = sample.mean(axis=0)
    spread = float(np.sqrt(((sample - mean) ** 2).mean())) or 1.0
    return mean.astype(np.float32), np.full(1, 1.0 / max(spread, 1e-6), np.float32)
