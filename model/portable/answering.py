"""From a student's probabilities to its answers, as Shortlist serves them. This file travels with exported students.

A question is a plain object: "name", "kind" (one label is right, any number of them, or one of levels in order),
"start" and "stop" (its columns), "labels", "thresholds" (of several labels each is meant from its one on; all above 1:
the student knew too little to answer), "least" (labels that have to be meant), "when" (the columns of which one has to
be meant, or none if not "chosen", for it to be asked).
"""

# It runs where Shortlist is not installed.
from collections.abc import Sequence
from typing import Any

import numpy as np


def answered(questions: Sequence[dict[str, Any]], shares: Any) -> Any:
    """The labels that are meant beside probabilities `(n, C)`, bool `(n, C)`."""
    meant = np.zeros(shares.shape, np.bool_)
    for one in questions:
        columns = slice(one["start"], one["stop"])
        meant[:, columns] = _meant(one, shares[:, columns])
        for condition in one["when"]:
            asked = meant[:, condition["columns"]].any(1) == condition["chosen"]
            meant[:, columns] &= asked[:, None]
    return meant


def listed(questions: Sequence[dict[str, Any]], row: Any, top_k: int | None = None) -> list[dict[str, Any]]:
    """The answer beside the probabilities `(C,)` of one text: the labels that are meant, the most probable first. With
    `top_k` so many labels: those that are meant, then the most probable of the others."""
    (meant,) = answered(questions, row[None])
    order = np.lexsort((-row, ~meant))[: int(meant.sum()) if top_k is None else top_k]
    names = [{"question": one["name"], "label": label} for one in questions for label in one["labels"]]
    keys = ("question", "label") if len(questions) > 1 else ("label",)
    return [{**{key: names[place][key] for key in keys}, "score": float(row[place])} for place in order]


def _meant(one: dict[str, Any], shares: Any) -> Any:
    meant = np.zeros(shares.shape, np.bool_)
    rows, limits = np.arange(len(shares)), np.array(one["thresholds"], np.float32)
    if (limits > 1).all():
        return meant
    if one["kind"] == "any":
        meant = shares >= limits
        none = ~meant.any(1)
        if one["least"]:
            meant[rows[none], (shares / np.maximum(limits, 1e-6)).argmax(1)[none]] = True
        return meant
    median = np.cumsum(shares, 1) >= 0.5 * shares.sum(1, keepdims=True)
    meant[rows, (median if one["kind"] == "ordered" else shares).argmax(1)] = True
    return meant
