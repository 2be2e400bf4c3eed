"""From the states of a text's tokens to its vector, in torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from model.encoder.usage import Usage

ACTIVATIONS = {
    "identity": torch.nn.Identity, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "gelu": torch.nn.GELU,
    "sigmoid": torch.nn.Sigmoid,
}  # fmt: skip


class Pooled(torch.nn.Module):
    """A transformer, pooling and what dense layers follow, as `usage` says.

    `dense` are the layers' weights, named `<number>.weight` `(out, in)` and `<number>.bias` `(out,)`.
    """

    def __init__(self, model: Any, usage: Usage, dense: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.model, self.usage = model, usage
        self.layers = torch.nn.ModuleList()
        for number in range(len(usage.dense)):
            weight, bias = (dense or {})[f"{number}.weight"], (dense or {}).get(f"{number}.bias")
            layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
            layer.load_state_dict({"weight": weight} | ({} if bias is None else {"bias": bias}))
            self.layers.append(layer)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        hidden = int(self.model.config.hidden_size) * len(self.usage.pooling)
        whole = int(self.layers[-1].out_features) if len(self.layers) else hidden  # type: ignore[arg-type]
        return min(self.usage.kept or whole, whole)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Vectors `(n, d)`, not normalised, of token ids and mask `(n, length)`, padded on the right."""
        states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        vectors = pooled(states.float(), attention_mask, self.usage.pooling, self.usage.skipped)
        for layer, activation in zip(self.layers, self.usage.dense, strict=True):
            vectors = ACTIVATIONS[activation]()(layer(vectors.to(cast("Tensor", layer.weight).dtype)).float())
        return vectors[:, : self.usage.kept] if self.usage.kept else vectors

    def dense(self) -> dict[str, Tensor]:
        """The weights of the dense layers, as the constructor takes them, in float32."""
        return {name: tensor.detach().float().cpu().contiguous() for name, tensor in self.layers.state_dict().items()}


def pooled(states: Tensor, mask: Tensor, pooling: Sequence[str], skipped: int = 0) -> Tensor:
    """Token states `(n, length, d)` pooled over unmasked positions `(n, length)`, padded on the right: `(n, d)` for
    each way of pooling, side by side. The first `skipped` tokens of a text do not count."""
    kept = mask
    if skipped:
        kept = mask * (torch.arange(mask.shape[1], device=mask.device) >= skipped).to(mask.dtype)
    return torch.cat([_one(states, mask, kept, way, skipped) for way in pooling], dim=1)


def _one(states: Tensor, mask: Tensor, kept: Tensor, way: str, skipped: int) -> Tensor:
    if way == "mean":
        return mean_pool(states, kept)
    if way == "cls":
        return states[:, skipped]
    if way == "last":
        last = (mask.sum(1) - 1).clamp(min=0)
        return states.gather(1, last[:, None, None].expand(-1, 1, states.shape[2])).squeeze(1)
    if way == "max":
        return states.masked_fill(kept.unsqueeze(-1) == 0, float("-inf")).amax(1)
    if way == "weighted mean":
        return mean_pool(states, kept * torch.arange(1, mask.shape[1] + 1, device=mask.device))
    raise ValueError(f"pooling {way!r} is not known")


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Mean of the token states `(n, length, d)`, weighted by `mask` `(n, length)`: `(n, d)`."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
