"""Which labels are taken for which: the mistakes that people corrected, with the tasks behind each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from backend.pool.figures import Pair
from model.evaluation import LabelFigures, Rate, mean_f1, per_label, rate

MATRIX_LABELS = 12  # up to so many labels are shown as a matrix
MOST_ROWS = 12
MOST_TABLE = 100  # rows of the table per label


@dataclass(frozen=True)
class Cell:
    """`tasks` that people gave the label `person` and for which `predicted` came first."""

    person: str
    predicted: str
    tasks: tuple[int, ...]


@dataclass(frozen=True)
class Confusions:
    """All checked tasks of one kind of prediction: how many were right, which labels were mixed up, figures per label.

    `cells` holds only mistakes, the most frequent first; `matrix` every cell, None with more than MATRIX_LABELS labels.
    """

    accuracy: Rate | None
    coverage: Rate | None
    macro_f1: float | None
    cells: tuple[Cell, ...]
    labels: dict[str, LabelFigures]
    names: tuple[str, ...]
    matrix: dict[tuple[str, str], Cell] | None


def confusions(pairs: Sequence[Pair], names: Sequence[str]) -> Confusions:
    """Count pairs of (what came first, what the person decided); `names` are the project's labels, in their order."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for pair in pairs:
        groups[pair.label, pair.predicted[0]].append(pair.task)
    cells = {key: Cell(*key, tuple(sorted(found))) for key, found in groups.items()}
    wrong = sorted((cell for cell in cells.values() if cell.person != cell.predicted), key=_frequent)
    right = sum(pair.label == pair.predicted[0] for pair in pairs)
    covered = sum(pair.label in pair.predicted for pair in pairs)
    figures = per_label([pair.predicted[0] for pair in pairs], [pair.label for pair in pairs])
    counted = Counter(pair.label for pair in pairs)
    shown = sorted(figures, key=lambda name: (-counted[name], name))[:MOST_TABLE]
    return Confusions(
        rate(right, len(pairs)),
        rate(covered, len(pairs)),
        mean_f1(figures),
        tuple(wrong[:MOST_ROWS]),
        {name: figures[name] for name in shown},
        tuple(names),
        cells if 1 < len(names) <= MATRIX_LABELS else None,
    )


def _frequent(cell: Cell) -> tuple[int, str, str]:
    return -len(cell.tasks), cell.person, cell.predicted
