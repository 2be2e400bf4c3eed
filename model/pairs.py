"""Tasks of two texts: which two are compared, and how they stand in the one text of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

BETWEEN = "\n\n"  # what stands between two texts of a task


@dataclass(frozen=True)
class Pair:
    """Which two texts of a task are compared. `marks` stand before all texts of the task, in their order, `sides` are
    the places of the two, called `names`; what else there is belongs to both. `symmetric`: their order does not matter.
    `sided`: the answer is one of the two, so that it turns round with them.
    `query`: which of the two (0 or 1) is shared by the tasks of a query; None where that is neither. Then `group` may
    be the field of a task's data that they share, which is in no text, and `queries` what it says, by the task's text:
    they are looked up where they are needed (`backend.pool.queries`) and never stored with a student."""

    names: tuple[str, str]
    marks: tuple[str, ...]
    sides: tuple[int, int] = (0, 1)
    symmetric: bool = False
    query: int | None = None
    group: str = ""
    queries: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    sided: bool = False

    @property
    def searches(self) -> bool:
        """Whether tasks share queries."""
        return self.query is not None or bool(self.group)

    def alone(self) -> Pair:
        """The same, with each task on its own."""
        return replace(self, query=None, group="", queries={})

    def parts(self, text: str) -> tuple[str, str]:
        """The two texts in the text of a task; "" for one that is not there."""
        found = self._texts(text)
        beside = [part for place, part in enumerate(found) if part and place not in self.sides]
        left, right = (BETWEEN.join([*beside, found[side]]) for side in self.sides)
        return left, right

    def _texts(self, text: str) -> list[str]:
        """All texts of the task by place. A text may be missing; the mark of a later one that stands in an earlier one
        after an empty line is taken for it."""
        found, starts = [""] * len(self.marks), []
        at = 0
        for place, mark in enumerate(self.marks):
            start = _after(text, mark, at)
            if start >= 0:
                starts.append((place, start))
                at = start + len(mark)
        if not starts:
            found[self.sides[0]] = text.strip()
            return found
        ends = [start for _, start in starts[1:]] + [len(text)]
        for (place, start), end in zip(starts, ends, strict=True):
            found[place] = text[start + len(self.marks[place]) : end].strip()
        return found

    def sentence(self) -> str:
        """What a teacher is told of its texts."""
        first, second = self.names
        order = "; their order does not matter" if self.symmetric else ""
        return f'Each text is a pair, "{first}" and "{second}"{order}. The labels are about the two together.'

    def to_json(self) -> dict[str, Any]:
        """A plain object, without what tasks share."""
        return {name: value for name, value in asdict(replace(self, queries={})).items() if name != "queries"}


def _after(text: str, mark: str, at: int) -> int:
    """Where a mark stands from `at` on, at the beginning or after an empty line; -1 if it does not."""
    if at == 0 and text.startswith(mark):
        return 0
    found = text.find(BETWEEN + mark, at)
    return -1 if found < 0 else found + len(BETWEEN)
