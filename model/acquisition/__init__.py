"""Which tasks deserve the next LLM call, or the next human minute.

A score ranks tasks, a spread keeps near-duplicates out of one batch, and a rule combines both with a random share.
Everything works on row numbers of a pool, in blocks, so that memory does not grow with the pool.
"""

from model.acquisition.base import ClassMeans, LabelSimilarity, LinearProbe
from model.acquisition.informativeness import Flip, JensenShannon, LabelDifference, TotalVariation
from model.acquisition.pool import Pool, Probabilities, TextVectors, distinct, from_array, from_vectors
from model.acquisition.rules import DEFAULT, RULES, rule
from model.acquisition.score import Score, score_rows
from model.acquisition.selection import Rule, Selection, select
from model.acquisition.spread import FacilityLocation, KMeansSpread, NoSpread, Spread, WeightedClusters
from model.acquisition.temperature import matching_temperature, tempered
from model.acquisition.uncertainty import (
    BaseEntropy,
    ConformalSetSize,
    Entropy,
    LeastConfidence,
    Margin,
    RandomScore,
    VoteEntropy,
)

__all__ = [
    "DEFAULT",
    "RULES",
    "BaseEntropy",
    "ClassMeans",
    "ConformalSetSize",
    "Entropy",
    "FacilityLocation",
    "Flip",
    "JensenShannon",
    "KMeansSpread",
    "LabelDifference",
    "LabelSimilarity",
    "LeastConfidence",
    "LinearProbe",
    "Margin",
    "NoSpread",
    "Pool",
    "Probabilities",
    "RandomScore",
    "Rule",
    "Score",
    "Selection",
    "Spread",
    "TextVectors",
    "TotalVariation",
    "VoteEntropy",
    "WeightedClusters",
    "distinct",
    "from_array",
    "from_vectors",
    "matching_temperature",
    "rule",
    "score_rows",
    "select",
    "tempered",
]
