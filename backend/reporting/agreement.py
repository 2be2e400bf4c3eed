"""How far several people agree about the same tasks: Krippendorff's alpha and the plain share of agreeing pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.pool import figures
from model.labels import LabelSpace


@dataclass(frozen=True)
class Agreement:
    """`tasks` were labelled by at least two people; `alpha` is 1 for perfect agreement and 0 for chance.

    `percent` is the share of agreeing pairs of people within a task, in [0, 1]; None before there is a pair. `alpha` is
    also None where everybody always chose the same label, because then nothing is known about chance.
    """

    tasks: int
    percent: float | None
    alpha: float | None

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return {"tasks": self.tasks, "percent": self.percent, "alpha": self.alpha}


def agreement(engine: sa.Engine, project: int, space: LabelSpace | None = None) -> Agreement:
    """Of the people who labelled a project; of each person's annotations of a task the newest counts.

    Of several questions (those of `space`) the pairs of all, of those who answered the same one, and the mean alpha.
    """
    units = figures.shared_labels(engine, project)
    if space is None or not space.questions:
        return of_values(units)
    by_question = [[_answers(values, space.names[group.columns]) for values in units] for group in space.groups]
    alphas = [one for part in by_question if (one := of_values(part).alpha) is not None]
    tasks = sum(any(len(part[task]) > 1 for part in by_question) for task in range(len(units)))
    percent = of_values([values for part in by_question for values in part]).percent
    return Agreement(tasks, percent, sum(alphas) / len(alphas) if alphas else None)


def _answers(values: Iterable[frozenset[str]], names: Collection[str]) -> list[frozenset[str]]:
    """What those ticked of these labels who ticked any."""
    return [own for one in values if (own := one.intersection(names))]


def of_values(units: Iterable[list[frozenset[str]]]) -> Agreement:
    """Krippendorff's alpha for nominal data (Content Analysis, 4th ed., 2018, chapter 12): 1 - observed / expected.

    `units` are the values given to each task, in any order; a set of several labels is a value of its own.
    """
    pairable = [Counter(values) for values in units if len(values) > 1]
    total = sum(unit.total() for unit in pairable)
    if not total:
        return Agreement(0, None, None)
    differing = sum(_differing(unit) / (unit.total() - 1) for unit in pairable) / total
    expected = _differing(sum(pairable, Counter())) / (total * (total - 1))
    alike = sum(unit.total() ** 2 - unit.total() - _differing(unit) for unit in pairable)
    pairs = sum(unit.total() ** 2 - unit.total() for unit in pairable)
    return Agreement(len(pairable), alike / pairs, 1 - differing / expected if expected else None)


def _differing(counts: Mapping[frozenset[str], int]) -> int:
    """Ordered pairs of different values."""
    return sum(counts.values()) ** 2 - sum(number**2 for number in counts.values())
