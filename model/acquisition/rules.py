"""The rules by name, and which of them is used when nobody chooses. Figures: docs/evidence/sampling.md."""

from __future__ import annotations

from collections.abc import Callable

from model.acquisition.informativeness import Flip, JensenShannon, LabelDifference, Rise, TotalVariation
from model.acquisition.selection import Rule
from model.acquisition.spread import FacilityLocation, KMeansSpread, NoSpread, WeightedClusters
from model.acquisition.uncertainty import (
    BaseEntropy,
    ConformalSetSize,
    Entropy,
    LeastConfidence,
    Margin,
    RandomScore,
    VoteEntropy,
)

DEFAULT = "margin-clusters"
SHARP = 5.0  # power of the weights of the sharper variant; 3 to 10 do alike

RULES: dict[str, Callable[[str, int, float], Rule]] = {
    "random": lambda name, seed, _: Rule(name, RandomScore(seed), NoSpread(), random_share=1.0),
    "least-confidence": lambda name, *_: Rule(name, LeastConfidence(), NoSpread(), 0.0),
    "margin": lambda name, *_: Rule(name, Margin(), NoSpread(), 0.0),
    "entropy": lambda name, *_: Rule(name, Entropy(), NoSpread(), 0.0),
    "base-entropy": lambda name, *_: Rule(name, BaseEntropy(), NoSpread(), 0.0),
    "vote-entropy": lambda name, *_: Rule(name, VoteEntropy(), NoSpread(), 0.0),
    "conformal-set-size": lambda name, _, threshold: Rule(name, ConformalSetSize(threshold), NoSpread(), 0.0),
    "k-means": lambda name, seed, _: Rule(name, RandomScore(seed), KMeansSpread(), 0.0),
    "ci-published": lambda name, *_: Rule(name, LabelDifference(), NoSpread(), 0.0),
    "ci-total-variation": lambda name, *_: Rule(name, TotalVariation(), KMeansSpread()),
    "ci-jensen-shannon": lambda name, *_: Rule(name, JensenShannon(), KMeansSpread()),
    "ci-up": lambda name, *_: Rule(name, Rise(), NoSpread(), 0.0),
    "ci-down": lambda name, *_: Rule(name, Rise(-1.0), NoSpread(), 0.0),
    "ci-flip": lambda name, *_: Rule(name, Flip(), KMeansSpread()),
    "ci-no-diversity": lambda name, *_: Rule(name, TotalVariation(), NoSpread()),
    "ci-no-random-share": lambda name, *_: Rule(name, TotalVariation(), KMeansSpread(), 0.0),
    "margin-balanced": lambda name, *_: Rule(name, Margin(), NoSpread(), 0.0, balance=True),
    "margin-k-means": lambda name, *_: Rule(name, Margin(), KMeansSpread()),
    "margin-clusters": lambda name, *_: Rule(name, Margin(), WeightedClusters(), 0.0),
    "sharp-clusters": lambda name, *_: Rule(name, Margin(), WeightedClusters(SHARP), 0.0),
    "entropy-clusters": lambda name, *_: Rule(name, Entropy(), WeightedClusters(), 0.0),
    "ci-clusters": lambda name, *_: Rule(name, TotalVariation(), WeightedClusters(), 0.0),
    "margin-cover": lambda name, *_: Rule(name, Margin(), FacilityLocation(), 0.0),
}


def rule(name: str = DEFAULT, seed: int = 0, threshold: float = 0.1) -> Rule:
    """The rule of that name. `threshold` is for conformal sets. ValueError names the known rules."""
    if name not in RULES:
        raise ValueError(f"no acquisition rule is called {name!r}; known: {', '.join(RULES)}")
    return RULES[name](name, seed, threshold)
