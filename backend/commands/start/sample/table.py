"""Rows of cells, as CSV, TSV and Excel have them, become records by column; CSV also where a quote never closes."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from backend.commands.start.sample.label_cell import is_missing
from backend.commands.start.sample.row import BadRow, Record, Records
from backend.errors import SampleError

SEPARATORS = ",;\t|"
LOOKED_AT = 50  # lines that decide about the separator
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\s,;]*', re.IGNORECASE)  # Excel writes and reads it as the first line
UNCLOSED = 'a quotation mark opens here and never closes; write "" for one that belongs to the text'


@dataclass(frozen=True)
class Cells:
    """One row: its line in the file, how many lines it takes, and its cells, or why it has none."""

    line: int
    cells: list[str] | BadRow
    height: int = 1


def csv_records(text: str, path: Path, separator: str = "") -> Records:
    """The records of a CSV file; `separator` is found where it is empty.

    A row whose quote never closes is left out by its line, and the rows after it are read by themselves.
    """
    csv.field_size_limit(2**31 - 1)
    lines = list(io.StringIO(text, newline=""))
    first = 0
    told = SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if told:
        separator, first = told[1], 1
    separator = separator or _separator(lines)
    rows = [
        row for row in _rows(lines, first, separator) if isinstance(row.cells, BadRow) or any(map(str.strip, row.cells))
    ]
    return table_records(_unswallowed(rows, lines, separator), path)


def table_records(rows: Iterable[Cells], path: Path) -> Records:
    """Records by column, of rows whose first one is the header; SampleError if that one cannot be read.

    Of columns with the same name the first counts. Cells that say that there is nothing (nan, N/A) are empty.
    """
    header: list[str] = []
    records: list[Record] = []
    for row in rows:
        if isinstance(row.cells, BadRow):
            if not header:
                raise SampleError(f"{path} has no readable header; line {row.line}: {row.cells.reason}")
            records.append((row.line, row.cells))
        elif not header:
            header = [cell.strip() for cell in row.cells]
        else:
            records.append((row.line, _record(row.line, row.cells, header)))
    doubled = [name for name, times in Counter(header).items() if name and times > 1]
    notes = [f"{name!r} is the name of {header.count(name)} columns; the first of them is read" for name in doubled]
    return Records(records, tuple(notes))


def _record(line: int, cells: Sequence[str], header: Sequence[str]) -> dict[str, str] | BadRow:
    if len(cells) > len(header):
        return BadRow(line, f"{len(cells)} columns, but the header has {len(header)}")
    if len(header) > 1 and [cell.strip() for cell in cells] == list(header):
        return BadRow(line, "the header once more")
    record: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=False):
        record.setdefault(name, "" if is_missing(cell) else cell)
    return record


def _separator(lines: Sequence[str]) -> str:
    """The one by which most of the first rows have as many cells as the header, then the one with most cells."""

    def fit(separator: str) -> tuple[bool, float, int]:
        rows = [row for row in csv.reader(islice(lines, LOOKED_AT), delimiter=separator) if row]
        width = len(rows[0]) if rows else 0
        alike = sum(len(row) == width for row in rows[1:]) / max(1, len(rows) - 1)
        return width > 1, alike, width

    return max(SEPARATORS, key=fit)


def _rows(lines: Sequence[str], first: int, separator: str) -> Iterator[Cells]:
    """Rows by the strict rules of CSV; a line that breaks them is read by itself, and the next ones anew."""
    at, doubtful = first, first
    while at < len(lines):
        begin = at
        reader = csv.reader((lines[line] for line in range(begin, len(lines))), delimiter=separator, strict=True)
        try:
            for cells in reader:
                end = begin + reader.line_num
                alone = end == at + 1 and at < doubtful
                yield _lone(lines, at, separator) if alone else Cells(at + 1, cells, end - at)
                at = end
            return
        except csv.Error:
            swallowed = begin + reader.line_num
        if swallowed == at + 1:
            yield _lone(lines, at, separator)
        else:
            yield Cells(at + 1, BadRow(at + 1, UNCLOSED))
            doubtful = max(doubtful, swallowed)  # what a text of several lines would go on with
        at += 1


def _lone(lines: Sequence[str], at: int, separator: str) -> Cells:
    """One line read leniently, for people write quotes within cells as they like; an odd number of them is none."""
    if lines[at].count('"') % 2:
        return Cells(at + 1, BadRow(at + 1, UNCLOSED))
    return Cells(at + 1, next(csv.reader([lines[at]], delimiter=separator), []))


def _unswallowed(rows: list[Cells], lines: Sequence[str], separator: str) -> Iterator[Cells]:
    """The rows, where one that took in others by a quote that closes by chance in a later one is divided again.

    It did if each of its lines is a row of the header's width by itself that ends as other rows end.
    """
    width = len(rows[0].cells) if rows and not isinstance(rows[0].cells, BadRow) else 0
    ends = {
        row.cells[-1].strip() for row in rows[1:] if row.height == 1 and not isinstance(row.cells, BadRow) and row.cells
    }
    for row in rows:
        alone = [] if row.height == 1 else [_bare(lines[row.line - 1 + at], separator) for at in range(row.height)]
        if width > 1 and alone and all(len(cells) == width and cells[-1].strip() in ends for cells in alone):
            yield Cells(row.line, BadRow(row.line, UNCLOSED))
            for at, cells in enumerate(alone[1:], start=1):
                yield replace(row, line=row.line + at, cells=cells, height=1)
        else:
            yield row


def _bare(line: str, separator: str) -> list[str]:
    """The cells of a line in which no quote means anything."""
    return next(csv.reader([line], delimiter=separator, quoting=csv.QUOTE_NONE), [])
