"""What a reader of a sample file passes on: records by line, lines that were left out, and what people should know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that was left out, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line} skipped: {self.reason}"


Record = tuple[int, dict[str, Any] | BadRow]  # the line of the file, and its cells by column


@dataclass(frozen=True)
class Records:
    """Every row of a file; `notes` are sentences about how it was read."""

    rows: list[Record]
    notes: tuple[str, ...] = ()
