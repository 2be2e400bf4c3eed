"""Trains the heads of a student on frozen embeddings, in torch: all of them in the same steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.training.extra_losses import filtered_consistency, mixup_loss
from model.training.options import TrainingOptions
from model.training.targets import BatchTargets

BATCHES = ((100_000, 512), (2000, 128), (1000, 64))  # from so many rows on
MASKS = 2048  # dropout masks of rows, from which every step takes a run
Shapes: TypeAlias = list[tuple[int, int]]  # inputs and outputs of every layer
Layers: TypeAlias = list[tuple[Tensor, Tensor]]  # weights (m, in, out) and biases (m, out) of every layer


def batch_rows(rows: int) -> int:
    """Rows of a batch for a pool of so many rows: small pools get small batches, for enough steps of each epoch."""
    return next((batch for least, batch in BATCHES if rows >= least), 32)


class HeadLearner:
    """Trains m heads on vectors at once; see `Learner`. With small batches one step of three is less than three of one.

    Each head has the randomness of its own seed and a loss of its own, so that it becomes what it would become alone,
    up to rounding; threads do not disturb it. Rows of a batch are the first head's, then the second's, and so on.
    """

    snapshot_rows = 8192

    def __init__(
        self,
        vectors: FloatArray,
        num_labels: int,
        options: TrainingOptions,
        steps: int,
        seeds: Sequence[int] | None = None,
        start: dict[str, FloatArray] | None = None,
        like: FloatArray | None = None,
    ) -> None:
        """`vectors` `(n, d)` may be float16 or mapped from disk; only batches become float32. `seeds`: one per head;
        without them there is one head, with the seed of the options. `start`: a trained head that each begins as.

        `like` are vectors from which mean and spread are taken. Heads that leave rows out need it: of few rows that
        have a mean of nought those left out point away from the others, and look as if no head could answer them."""
        self._vectors = vectors
        self.rows, self.num_labels = len(vectors), num_labels
        self._random = [torch.Generator().manual_seed(seed) for seed in seeds or [options.seed]]
        self._dropout = options.dropout
        self._masks: dict[int, list[Tensor]] = {}
        self._longest = max(options.batch or 512, 512)
        self._extra = options.method == "freeal"
        self._mean, self._scale = standard(vectors if like is None else like)
        width = int(vectors.shape[1])
        sizes = [width, options.hidden, num_labels] if options.hidden else [width, num_labels]
        self._shapes = list(itertools.pairwise(sizes))
        self._flat = self._drawn()
        if start is not None:
            self._go_on_from(start)
        self._flat.grad = torch.zeros_like(self._flat)
        self._slopes = _layers(self._flat.grad, self._shapes)
        self._rate, self._steps, self._done = options.learning_rate or 2e-3, max(1, steps), 0
        self._optimiser = torch.optim.AdamW(
            self.parameters(), lr=self._rate, weight_decay=options.weight_decay, fused=True
        )

    def _drawn(self) -> Tensor:
        """The weights of all layers before the first step, `(m, ...)`."""
        flat = torch.zeros(len(self._random), sum((inputs + 1) * outputs for inputs, outputs in self._shapes))
        for weights, _ in _layers(flat, self._shapes):
            for weight, random in zip(weights, self._random, strict=True):
                weight.normal_(0.0, len(weight) ** -0.5, generator=random)
        return flat.requires_grad_()

    def parameters(self) -> list[Tensor]:
        """Weights and biases of all layers, in one tensor: an optimiser's time grows with their number."""
        return [self._flat]

    def logits(self, rows: Tensor) -> Tensor:
        """`(b, C)` with dropout on inputs and hidden units."""
        return self._forward(self._inputs(rows)).flatten(0, 1)

    def _forward(self, inputs: Tensor) -> Tensor:
        """`(m, b, C)` of inputs `(m, b, d)`."""
        masks = [self._mask(width, inputs.shape[1]) for width, _ in self._shapes]
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
        (random,) = self._random
        (inputs,) = self._inputs(rows)
        mixed = mixup_loss(inputs, found, lambda some: self._forward(some[None])[0], random)
        return mixed + filtered_consistency(self._forward(inputs[None])[0], log_probs, found.used)

    def step(self, loss: Tensor) -> None:
        """One step of AdamW with linear decay; `loss` is the mean over the heads."""
        assert self._flat.grad is not None, "it was made with the weights"
        self._flat.grad.zero_()
        (loss * len(self._random)).backward()  # type: ignore[no-untyped-call]
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * max(0.0, 1.0 - self._done / self._steps)
        self._optimiser.step()
        self._done += 1

    def _go_on_from(self, head: dict[str, FloatArray]) -> None:
        """Begin as a head of the shapes that `weights` gives, and see vectors as it does."""
        self._mean, self._scale = head["mean"], head["scale"]
        for name, (weight, bias) in zip(self._names, _layers(self._flat.detach(), self._shapes), strict=True):
            weight[:] = torch.from_numpy(head[name])
            bias[:] = torch.from_numpy(head[f"{name}_bias"])

    @property
    def _names(self) -> list[str]:
        """Of the layers."""
        return ["hidden", "out"] if len(self._shapes) == 2 else ["out"]

    def weights(self) -> list[dict[str, FloatArray]]:
        """Arrays for `head_logits`, of every head."""
        layers = _layers(self._flat.detach(), self._shapes)
        found = []
        for head in range(len(self._random)):
            arrays = {"mean": self._mean, "scale": self._scale}
            for name, (weight, bias) in zip(self._names, layers, strict=True):
                arrays[name] = weight[head].numpy().copy()
                arrays[f"{name}_bias"] = bias[head].numpy().copy()
            found.append(arrays)
        return found

    def _inputs(self, rows: Tensor) -> Tensor:
        """`(m, b, d)`, standardised."""
        vectors = self._vectors[rows.numpy()]
        heads, width = len(self._random), vectors.shape[1]
        return torch.from_numpy(standardised(vectors, self._mean, self._scale)).view(heads, -1, width)

    def _mask(self, width: int, rows: int) -> Tensor | None:
        """Dropout masks `(m, b, width)` from banks that are drawn once: drawing them in every step takes long."""
        if self._dropout <= 0:
            return None
        firsts = [int(torch.randint(MASKS, (1,), generator=random)) for random in self._random]
        if width not in self._masks:
            self._masks[width] = [self._bank(width, random) for random in self._random]
        return torch.stack([bank[at : at + rows] for bank, at in zip(self._masks[width], firsts, strict=True)])

    def _bank(self, width: int, random: torch.Generator) -> Tensor:
        kept = torch.rand((MASKS + self._longest, width), generator=random) >= self._dropout
        return kept / (1.0 - self._dropout)


class _Network(torch.autograd.Function):
    """All layers as one function with its gradient written out: torch's record of each costs as much as they do."""

    @staticmethod
    def forward(
        ctx: Any, flat: Tensor, inputs: Tensor, shapes: Shapes, masks: list[Tensor | None], slopes: Layers
    ) -> Tensor:
        """Logits `(m, b, C)`: dropout on the inputs of every layer, ReLU between layers."""
        states = inputs if masks[0] is None else inputs * masks[0]
        kept = [states]
        layers = _layers(flat, shapes)
        for (weight, bias), mask in zip(layers[:-1], masks[1:], strict=True):
            states = torch.baddbmm(bias[:, None], states, weight).relu_()
            kept.append(states if mask is None else states.mul_(mask))
        ctx.layers, ctx.masks, ctx.kept, ctx.slopes = layers, masks, kept, slopes
        weight, bias = layers[-1]
        return torch.baddbmm(bias[:, None], kept[-1], weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Adds the gradient of weights and biases to `slopes`: tensors of their own cost as much as computing it."""
        for number in reversed(range(len(ctx.layers))):
            weight, bias = ctx.slopes[number]
            weight.baddbmm_(ctx.kept[number].mT, gradient)
            bias.add_(gradient.sum(1))
            if number:
                gradient = gradient @ ctx.layers[number][0].mT
                gradient.mul_(torch.sign(ctx.kept[number]))  # ReLU's slope
                if ctx.masks[number] is not None:
                    gradient.mul_(ctx.masks[number])
        return None, None, None, None, None


def _layers(flat: Tensor, shapes: Shapes) -> Layers:
    """Weights `(m, in, out)` and biases `(m, out)` of all layers, as views into one tensor `(m, ...)`."""
    sizes = [size for inputs, outputs in shapes for size in (inputs * outputs, outputs)]
    parts = torch.split(flat, sizes, dim=1)
    return [(parts[2 * number].view(-1, *shape), parts[2 * number + 1]) for number, shape in enumerate(shapes)]


def standard(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and one common scale from a sample, so that inputs have unit variance on average."""
    sample = np.asarray(vectors[:: max(1, len(vectors) // 4096)], dtype=np.float32)
    mean = sample.mean(axis=0)
    spread = float(np.sqrt(((sample - mean) ** 2).mean())) or 1.0
    return mean.astype(np.float32), np.full(1, 1.0 / max(spread, 1e-6), np.float32)


def standardised(vectors: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """What a head sees of vectors `(n, d)`, float32."""
    seen: FloatArray = (np.asarray(vectors, dtype=np.float32) - mean) * scale
    return seen
