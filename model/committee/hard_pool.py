"""Tasks that the members disagreed about, with what was found out: the material of the next stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class HardRow:
    """One reviewed task. `labels` is the teacher's or the person's set, `stage` the stage that first trains on it."""

    task: int
    labels: tuple[str, ...]
    human: bool = False
    votes: tuple[str | None, ...] = ()
    confidences: tuple[float, ...] = ()
    teacher_version: str = ""
    stage: int | None = None

    def __post_init__(self) -> None:
        if not self.labels:
            raise ValueError(f"task {self.task}: a hard row needs at least one label")


class HardPool:
    """One row per task id (never per text). A person's decision outranks a teacher's; the last one of equals stands."""

    def __init__(self, rows: Iterable[HardRow] = ()) -> None:
        self._rows: dict[int, HardRow] = {}
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[HardRow]:
        return iter(sorted(self._rows.values(), key=lambda row: row.task))

    def __contains__(self, task: object) -> bool:
        return task in self._rows

    def __getitem__(self, task: int) -> HardRow:
        return self._rows[task]

    def add(self, row: HardRow) -> bool:
        """Add or replace; False if a person's decision stands and this is only a teacher's. A row that changed its
        labels counts as new for the next stage; an equal one changes nothing."""
        old = self._rows.get(row.task)
        if old is not None and old.human and not row.human:
            return False
        if old is not None and old.labels == row.labels and old.human == row.human:
            return False
        self._rows[row.task] = replace(row, stage=None)
        return True

    def fresh(self) -> list[HardRow]:
        """Rows that no stage has seen."""
        return [row for row in self if row.stage is None]

    def seen(self) -> list[HardRow]:
        """Rows of earlier stages."""
        return [row for row in self if row.stage is not None]

    def mark(self, tasks: Iterable[int], stage: int) -> None:
        """Say that a stage has seen these rows (also if its members were rejected)."""
        for task in tasks:
            self._rows[task] = replace(self._rows[task], stage=stage)

    def to_json(self) -> list[dict[str, Any]]:
        """Plain objects, ordered by task."""
        return [asdict(row) for row in self]

    @classmethod
    def from_json(cls, rows: Iterable[Mapping[str, Any]]) -> HardPool:
        """The inverse of `to_json`; KeyError or TypeError on other content."""
        pool = cls()
        for row in rows:
            content: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in row.items()}
            found = HardRow(**content)
            pool._rows[found.task] = found
        return pool
