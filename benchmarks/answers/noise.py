"""A simulated teacher for several labels, of a stated level of noise that depends on the text as an LLM's does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, Embed, FloatArray
from model.labels import CandidateSet, LabelSpace, readable

SHARPNESS = 0.06  # of the softmax over similarities of text and label name that draws wrong labels


@dataclass(frozen=True)
class Noise:
    """Of right labels the shares named as certain and as possible, and how many wrong ones a row gets of each."""

    name: str
    certain: float
    possible: float
    wrong_certain: float
    wrong_possible: float


GOOD = Noise("good", 0.70, 0.20, 0.3, 0.7)
WEAK = Noise("weak", 0.45, 0.30, 1.2, 1.5)


def closeness(space: LabelSpace, embed: Embed, texts: Sequence[str]) -> FloatArray:
    """How near each label's name is to each text, as shares `(n, C)`: near ones are confused more often."""
    scores = embed(texts) @ embed([readable(name) for name in space.names]).T / SHARPNESS
    powers = np.exp(scores - scores.max(1, keepdims=True))
    shares: FloatArray = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
    return shares


def answers(space: LabelSpace, truth: BoolArray, near: FloatArray, noise: Noise, seed: int) -> list[CandidateSet]:
    """What the teacher says of each row of `truth` `(n, C)`."""
    random, found = np.random.default_rng(seed), []
    for right, shares in zip(truth, near, strict=True):
        drawn = random.random(len(right))
        certain = right & (drawn < noise.certain)
        possible = right & ~certain & (drawn < noise.certain + noise.possible)
        wrong = np.where(right, 0.0, shares + 1e-9)
        counts = [int(random.poisson(mean)) for mean in (noise.wrong_certain, noise.wrong_possible)]
        number = min(sum(counts), int((wrong > 0).sum()))
        drawn_wrong = random.choice(len(right), number, replace=False, p=wrong / max(wrong.sum(), 1e-12))
        for place, label in enumerate(random.permutation(drawn_wrong)):
            (certain if place < counts[0] else possible)[label] = True
        sure, maybe = (tuple(space.names[label] for label in np.flatnonzero(one)) for one in (certain, possible))
        found.append(CandidateSet(sure + maybe, (), sure))
    return found
