"""Figures of answers to pairs: how often they are right, and how well they rank the documents of queries."""

from __future__ import annotations

import numpy as np

from benchmarks.pairs.material import Material, Rows
from model.arrays import FloatArray
from model.ranking import expected_grades, ranking


def figures(material: Material, rows: Rows, shares: FloatArray) -> dict[str, float]:
    """Of probabilities `(n, C)`: accuracy, macro-F1, of ordered labels quadratic kappa, of search nDCG@10 and MRR."""
    from sklearn.metrics import cohen_kappa_score, f1_score

    said = shares.argmax(1)
    found = {
        "accuracy": float((said == rows.gold).mean()),
        "macro_f1": float(f1_score(rows.gold, said, average="macro")),
    }
    if material.ordered:
        found["kappa"] = float(cohen_kappa_score(rows.gold, said, weights="quadratic"))
    if material.task == "search":
        found |= ranks(material, rows, expected_grades(shares))
    return found


def ranks(material: Material, rows: Rows, scores: FloatArray) -> dict[str, float]:
    """Mean nDCG@10 and MRR over the queries that have a relevant document."""
    one = ranking(np.asarray(scores, np.float32), rows.gold, rows.queries, len(material.space))
    pairs = {"ndcg_at_10": one.ndcg_at_10, "mrr": one.mrr}
    return {name: mean.mean for name, mean in pairs.items() if mean is not None}
