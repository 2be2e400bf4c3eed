"""A linear head, trained to convergence: multinomial logistic regression on soft targets.

On small pools it often answers new texts better than a network that remembers its pool, and worse what it was told of
the pool itself. Networks are sure of rows that they remember, so the mean of both has either's strength. Where linear
heads are far worse (many labels), they do not join: texts that neither has seen decide.
"""

from __future__ import annotations

from collections.abc import Callable
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
Head: TypeAlias = dict[str, FloatArray]
Network: TypeAlias = Callable[[FloatArray, SoftTargets], Head]  # trains one on vectors `(n, d)` and their targets


def linear_helps(
    vectors: FloatArray, targets: SoftTargets, fold_of: IntArray, network: Network, stop: Stop | None = None
) -> bool:
    """Whether the mean of a network and a linear head answers rows of other folds `(n,)` better than the network does.

    Where all texts are one and the same there is but one fold, and the answer is no.
    """
    alone = both = 0.0
    names = np.unique(fold_of)
    for fold in names if len(names) > 1 else ():
        seen, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        known, told, rows = vectors[seen], targets.part(torch.from_numpy(seen)), torch.from_numpy(held)
        heads = (network(known, told), linear_head(known, told, 1.0, stop))
        said = [torch.from_numpy(softmax(head_logits(head, vectors[held]))) for head in heads]
        alone += targets.likelihood(rows, said[0])
        both += targets.likelihood(rows, 0.5 * said[0] + 0.5 * said[1])
    return both > alone


def linear_head(vectors: FloatArray, targets: SoftTargets, strength: float = 1.0, stop: Stop | None = None) -> Head:
    """Arrays for `head_logits`: the minimum of the summed cross-entropy plus |W|^2 / (2 `strength`).

    W is that for vectors of length one, whatever the vectors' length: so 1 is what logistic regression on an encoder's
    vectors usually starts from. TrainingStopped after `stop()` says so.
    """
    mean, scale = standard(vectors)
    inputs = torch.from_numpy(standardised(vectors, mean, scale))
    found = targets.batch(torch.arange(len(vectors)), torch.empty(0), 0.0)
    wanted = found.targets if found.weight is None else found.targets * found.weight[:, None]
    width, labels = inputs.shape[1], wanted.shape[1]
    flat = torch.zeros((width + 1, labels), requires_grad=True)
    optimiser = torch.optim.LBFGS([flat], max_iter=ROUNDS, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        if stop is not None and stop():
            raise TrainingStopped("stopped while a linear head was trained")
        optimiser.zero_grad()
        log_probs = torch.log_softmax(inputs @ flat[:-1] + flat[-1], 1)
        value = 0.5 * width / strength * flat[:-1].square().sum() - (wanted * log_probs).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    learnt = flat.detach().numpy()
    return {"mean": mean, "scale": scale, "out": learnt[:-1].copy(), "out_bias": learnt[-1].copy()}
