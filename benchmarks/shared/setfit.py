"""SetFit (Tunstall et al., 2022, arXiv 2209.11055) as a rival: an encoder that people's labels alone tune, and a head.

Pairs of labelled texts are drawn as published: 20 times for each text one of its label and one of another. Their
cosine learns to be 1 and 0 (mean squared error), for one epoch of batches of 16 pairs, at a rate of 2e-5 that rises for
a tenth of the steps and falls to nought. A logistic regression of strength 1 on the tuned vectors answers. Word
embeddings stay as they are, as where the product adapts an encoder. Only the encoder's loading is the product's code.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray, IntArray
from model.encoder.encoder import Encoder
from model.encoder.loading import load_checkpoint
from model.encoder.runtimes import preferred
from model.labels import LabelSpace
from model.student.finetuned import tokenised

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

    from model.encoder.loading import Checkpoint

ITERATIONS, BATCH, RATE, WARM_UP = 20, 16, 2e-5, 0.1
LONGEST = 256  # tokens of a text while the encoder is tuned
Pair: TypeAlias = tuple[int, int, float]


class SetFit:
    """An encoder tuned on `texts` with `labels` `(k,)`, and the head on its vectors. `rate` is the encoder's."""

    def __init__(
        self, texts: Sequence[str], labels: IntArray, space: LabelSpace, encoder: str, seed: int, rate: float = RATE
    ) -> None:
        self._count, self._only = len(space), int(labels[0])
        self._fitted: LogisticRegression | None = None
        checkpoint = load_checkpoint(encoder)
        if len(np.unique(labels)) > 1:
            torch.manual_seed(seed)
            _tune(checkpoint, texts, drawn_pairs(labels.tolist(), random.Random(seed)), rate)
        self._encoder = Encoder("tuned", checkpoint)
        if len(np.unique(labels)) > 1:
            self._fitted = _head(self._encoder.embed(texts), labels)

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """`(n, C)`; labels that it was not given have 0."""
        found = np.zeros((len(texts), self._count), np.float32)
        if self._fitted is None:
            found[:, self._only] = 1.0
        elif texts:
            found[:, self._fitted.classes_] = self._fitted.predict_proba(self._encoder.embed(texts))
        return found


def drawn_pairs(labels: Sequence[int], draw: random.Random, iterations: int = ITERATIONS) -> list[Pair]:
    """Places of two texts and the cosine that they are to have, in random order. A text that is alone with its label
    is paired with itself, as published.

    >>> sorted(drawn_pairs([3, 5], random.Random(0), 1))
    [(0, 0, 1.0), (0, 1, 0.0), (1, 0, 0.0), (1, 1, 1.0)]
    """
    places = {label: [place for place, one in enumerate(labels) if one == label] for label in set(labels)}
    others = {label: [place for place, one in enumerate(labels) if one != label] for label in places}
    found: list[Pair] = []
    for _ in range(iterations):
        for place, label in enumerate(labels):
            found.append((place, draw.choice(places[label]), 1.0))
            found.append((place, draw.choice(others[label]), 0.0))
    draw.shuffle(found)
    return found


def _tune(checkpoint: Checkpoint, texts: Sequence[str], pairs: Sequence[Pair], rate: float) -> None:
    encoder, device = checkpoint.pooled.train(), torch.device("cpu")
    for parameter in encoder.model.get_input_embeddings().parameters():
        parameter.requires_grad_(False)
    moved = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    batches = [pairs[start : start + BATCH] for start in range(0, len(pairs), BATCH)]
    rises = max(1, round(WARM_UP * len(batches)))
    optimiser = torch.optim.AdamW(moved, lr=rate, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / rises, (len(batches) - step) / max(1, len(batches) - rises))
    )
    for batch in batches:
        used = sorted({place for one, other, _ in batch for place in (one, other)})
        with torch.autocast("cpu", torch.bfloat16, enabled=preferred() == "bfloat16"):
            pooled = encoder(**tokenised(checkpoint, [texts[place] for place in used], LONGEST, device))
        loss = _loss(torch.nn.functional.normalize(pooled.float(), dim=1), batch, used)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(moved, 1.0)
        optimiser.step()
        schedule.step()
    encoder.eval()


def _loss(vectors: Tensor, batch: Sequence[Pair], used: Sequence[int]) -> Tensor:
    """Mean squared error of the pairs' cosines, of the unit vectors of the `used` texts."""
    row = {place: number for number, place in enumerate(used)}
    left = vectors[[row[one] for one, _, _ in batch]]
    right = vectors[[row[other] for _, other, _ in batch]]
    wanted = torch.tensor([cosine for _, _, cosine in batch])
    return torch.nn.functional.mse_loss((left * right).sum(1), wanted)


def _head(vectors: FloatArray, labels: IntArray) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():  # few labels of many classes are meant so
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return LogisticRegression(max_iter=2000).fit(vectors, labels)
