"""Figures about answers of several labels at once, on plain sets. No figure without data: None, never a guess.

An answer that is the empty set equals an empty truth: it counts as right, with a Jaccard index and a row F1 of 1.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from model.evaluation import LabelFigures, Rate, f1, rate


@dataclass(frozen=True, slots=True)
class SetReport:
    """Answers against the truth. `jaccard` and `row_f1` are means over tasks; `macro_f1` is over labels that occur."""

    tasks: int
    exact: Rate | None
    jaccard: float | None
    micro_f1: float | None
    macro_f1: float | None
    row_f1: float | None
    mean_predicted: float | None  # labels per answer
    mean_true: float | None
    labels: dict[str, LabelFigures]

    def to_json(self) -> dict[str, object]:
        """A plain object."""
        return asdict(self)


def set_report(predicted: Sequence[Collection[str]], truth: Sequence[Collection[str]]) -> SetReport:
    """All figures at once. ValueError unless there is one answer per truth."""
    pairs = [(frozenset(left), frozenset(right)) for left, right in zip(predicted, truth, strict=True)]
    if not pairs:
        return SetReport(0, None, None, None, None, None, None, None, {})
    labels = per_label(pairs)
    hits, said, true = (sum(map(len, column)) for column in zip(*((a & b, a, b) for a, b in pairs), strict=True))
    scores = [one.f1 or 0.0 for one in labels.values()]
    return SetReport(
        len(pairs),
        rate(sum(left == right for left, right in pairs), len(pairs)),
        sum(jaccard(*pair) for pair in pairs) / len(pairs),
        1.0 if not said + true else 2.0 * hits / (said + true),
        sum(scores) / len(scores) if scores else 1.0,
        sum(row_f1(*pair) for pair in pairs) / len(pairs),
        said / len(pairs),
        true / len(pairs),
        labels,
    )


def ordered_figures(predicted: Sequence[int], truth: Sequence[int], levels: int) -> dict[str, float | None]:
    """Mean absolute error in levels, and Cohen's kappa with quadratic weights, of levels counted from 0.

    Kappa is None where it is not defined: without rows, and where all answers and all truths are the same level.
    """
    pairs = list(zip(predicted, truth, strict=True))
    if not pairs:
        return {"mean_error": None, "quadratic_kappa": None}
    error = sum(abs(left - right) for left, right in pairs) / len(pairs)
    seen = sum((left - right) ** 2 for left, right in pairs) / len(pairs)
    said, true = (Counter(column) for column in zip(*pairs, strict=True))
    both = itertools.product(range(levels), repeat=2)
    chance = sum((left - right) ** 2 * said[left] * true[right] for left, right in both) / len(pairs) ** 2
    return {"mean_error": error, "quadratic_kappa": 1.0 - seen / chance if chance else None}


Path = tuple[str, ...]  # a node of a tree: the names from the root down to it


def hierarchical_f1(predicted: Sequence[Collection[Path]], truth: Sequence[Collection[Path]]) -> float | None:
    """F1 of the nodes of answers and their ancestors, counted over all rows; None without any node."""
    rows = [tuple(map(_with_ancestors, pair)) for pair in zip(predicted, truth, strict=True)]
    both = sum(len(left) + len(right) for left, right in rows)
    return 2.0 * sum(len(left & right) for left, right in rows) / both if both else None


def _with_ancestors(paths: Collection[Path]) -> set[Path]:
    return {path[:depth] for path in paths for depth in range(1, len(path) + 1)}


def per_label(pairs: Sequence[tuple[frozenset[str], frozenset[str]]]) -> dict[str, LabelFigures]:
    """Precision, recall and F1 of every label that occurs in an answer or in the truth."""
    figures = {}
    for label in sorted({name for pair in pairs for labels in pair for name in labels}):
        said = sum(label in left for left, _ in pairs)
        true = sum(label in right for _, right in pairs)
        hits = sum(label in left and label in right for left, right in pairs)
        precision, recall = hits / said if said else None, hits / true if true else None
        figures[label] = LabelFigures(precision, recall, f1(precision or 0.0, recall or 0.0), true, said)
    return figures


def jaccard(left: Collection[str], right: Collection[str]) -> float:
    """Labels in both over labels in either; 1 if both are empty."""
    first, second = set(left), set(right)
    return len(first & second) / len(first | second) if first | second else 1.0


def row_f1(left: Collection[str], right: Collection[str]) -> float:
    """Twice the labels in both over the labels of both; 1 if both are empty."""
    first, second = set(left), set(right)
    return 2.0 * len(first & second) / (len(first) + len(second)) if first or second else 1.0
