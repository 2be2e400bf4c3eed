"""A linear head, trained to convergence: multinomial logistic regression on soft targets.

On small pools it answers new texts better than networks, which remember their pool, once its strength is right: the
one whose answers to texts that it has not seen are likeliest. Networks join it where that makes such answers likelier
beyond noise. What was believed of the pool itself a linear head forgets; `memory` gives it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray, IntArray, Stop, softmax
from model.errors import TrainingStopped
from model.student.head import head_logits
from model.training.head_training import standard, standardised
from model.training.targets import SoftTargets

ROUNDS = 100  # of L-BFGS at most
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # those that are compared, from the fourth on up or down
Head: TypeAlias = dict[str, FloatArray]
Network: TypeAlias = Callable[[FloatArray, SoftTargets], Head]  # trains one on vectors `(n, d)` and their targets


class Unseen:
    """What heads say of rows that they have not seen: each fold `(n,)` is answered by a head of the others.

    Rows of fold -1 are always learned and never judged.
    """

    def __init__(
        self,
        vectors: FloatArray,
        targets: SoftTargets,
        fold_of: IntArray,
        stop: Stop | None = None,
        levels: FloatArray | None = None,
    ) -> None:
        self._vectors, self._targets, self._stop, self.levels = vectors, targets, stop, levels
        self._fold_of, self._names = fold_of, np.unique(fold_of[fold_of >= 0])
        self._said: dict[float, FloatArray] = {}

    @property
    def several(self) -> bool:
        """Whether there is more than one fold: else nothing can be judged."""
        return len(self._names) > 1

    def strength(self) -> float:
        """The likeliest of STRENGTHS; the fourth where there is but one fold."""
        place = 3
        for step in (1, -1):
            while self.several and 0 <= place + step < len(STRENGTHS) and self._gain(place + step, place) > 0.0:
                place += step
        return STRENGTHS[place]

    def likelihood(self) -> float:
        """Of the likeliest strength."""
        return float(self._likelihoods(self._linear(self.strength())).sum())

    def _gain(self, one: int, other: int) -> float:
        found = (self._likelihoods(self._linear(STRENGTHS[place])) for place in (one, other))
        return float(next(found).sum() - next(found).sum())

    def shares(self) -> FloatArray:
        """What heads of the likeliest strength say of the rows, `(n, C)`; 0 for rows of fold -1."""
        found = np.zeros(self._targets.targets.shape, np.float32)
        found[np.concatenate([held for _, held in self._parts()])] = self._linear(self.strength())
        return found

    def joined_by(self, network: Network, strength: float) -> bool:
        """Whether the mean with a network is likelier than a linear head alone, by more than a standard error."""
        return self.several and self._likelier(self._linear(strength), self._answers(network))

    def joins(self, network: Network, strength: float) -> bool:
        """Whether the mean with a linear head is likelier than a network alone, by more than a standard error."""
        return self.several and self._likelier(self._answers(network), self._linear(strength))

    def _likelier(self, alone: FloatArray, other: FloatArray) -> bool:
        gains = self._likelihoods(0.5 * alone + 0.5 * other) - self._likelihoods(alone)
        return bool(gains.mean() > gains.std() / len(gains) ** 0.5)

    def _linear(self, strength: float) -> FloatArray:
        if strength not in self._said:
            self._said[strength] = self._answers(
                lambda known, told: linear_head(known, told, strength, self._stop, self.levels)
            )
        return self._said[strength]

    def _answers(self, network: Network) -> FloatArray:
        found = []
        for seen, held in self._parts():
            head = network(self._vectors[seen], self._targets.part(torch.from_numpy(seen)))
            found.append(softmax(head_logits(head, self._vectors[held])))
        return np.concatenate(found)

    def _likelihoods(self, said: FloatArray) -> FloatArray:
        rows = np.concatenate([held for _, held in self._parts()])
        return self._targets.likelihoods(torch.from_numpy(rows), torch.from_numpy(said)).numpy()

    def _parts(self) -> Iterator[tuple[IntArray, IntArray]]:
        for fold in self._names:
            yield np.flatnonzero(self._fold_of != fold), np.flatnonzero(self._fold_of == fold)


def linear_head(
    vectors: FloatArray,
    targets: SoftTargets,
    strength: float = 1.0,
    stop: Stop | None = None,
    levels: FloatArray | None = None,
) -> Head:
    """Arrays for `head_logits`: the minimum of the summed cross-entropy plus |W|^2 / (2 `strength`).

    W is that for vectors of length one, whatever the vectors' length: so 1 is what logistic regression on an encoder's
    vectors usually starts from. With `levels` `(C, C)` Z is held back instead,
    W being Z `levels`. TrainingStopped after `stop()` says so.
    """
    mean, scale = standard(vectors)
    inputs = torch.from_numpy(standardised(vectors, mean, scale))
    found = targets.batch(torch.arange(len(vectors)), torch.empty(0), 0.0)
    wanted = found.targets if found.weight is None else found.targets * found.weight[:, None]
    width, labels = inputs.shape[1], wanted.shape[1]
    spread = None if levels is None else torch.from_numpy(levels)
    flat = torch.zeros((width + 1, labels), requires_grad=True)
    optimiser = torch.optim.LBFGS([flat], max_iter=ROUNDS, history_size=10, line_search_fn="strong_wolfe")

    def weights() -> Tensor:
        return flat[:-1] if spread is None else flat[:-1] @ spread

    def loss() -> Tensor:
        if stop is not None and stop():
            raise TrainingStopped("stopped while a linear head was trained")
        optimiser.zero_grad()
        log_probs = torch.log_softmax(inputs @ weights() + flat[-1], 1)
        value = 0.5 * width / strength * flat[:-1].square().sum() - (wanted * log_probs).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    out, bias = weights().detach().numpy().copy(), flat[-1].detach().numpy().copy()
    return {"mean": mean, "scale": scale, "out": out, "out_bias": bias}


def averaged(heads: Sequence[Head]) -> Head:
    """One head whose logits are the mean of those of several of one shape, which see vectors alike."""
    first, share = heads[0], np.float32(1.0 / len(heads))
    if "hidden" not in first:
        return {name: np.mean([head[name] for head in heads], axis=0) for name in first}
    found = {name: np.concatenate([head[name] for head in heads], axis=-1) for name in ("hidden", "hidden_bias")}
    found["out"] = share * np.concatenate([head["out"] for head in heads])
    found["out_bias"] = np.mean([head["out_bias"] for head in heads], axis=0)
    return {**found, "mean": first["mean"], "scale": first["scale"]}
