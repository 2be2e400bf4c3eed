"""Rows of an Excel workbook (.xlsx, .xlsm): what its cells show, formulas by the value that Excel stored."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from backend.commands.start.sample.columns import TEXT
from backend.commands.start.sample.row import Records
from backend.commands.start.sample.table import Cells, table_records
from backend.errors import SampleError

HEADER_WITHIN = 10  # rows, of which the first that names a text column is the header; titles may stand above it
MOST_CELLS = 500_000  # of a sheet that is looked at once more, as a whole, for merged cells and formulas
UNREADABLE = (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, OSError, EOFError)

Row = list[Any]


def workbook_records(content: bytes, path: Path, sheet: str) -> Records:
    """The records of the sheet with this name, else of the first visible one; SampleError if it cannot be read."""
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # about styles and checks of input
            return _read(content, path, sheet)
    except UNREADABLE as error:
        raise SampleError(
            f"{path} is not a readable Excel workbook ({error}); save it as .xlsx without a password, or as CSV UTF-8"
        ) from None


def _read(content: bytes, path: Path, sheet: str) -> Records:
    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    names = [one.title for one in workbook.worksheets if one.sheet_state == "visible" or one.title == sheet]
    title = _title(names, sheet, path)
    chosen = workbook[title]
    chosen.reset_dimensions()
    values = [[cell.value for cell in row] for row in chosen.iter_rows()]
    workbook.close()
    notes = _mend(content, title, values)
    found = table_records(_rows(values), path)
    if not found.rows:
        raise SampleError(
            f"sheet {title!r} of {path} has no rows below a header; sheets are {', '.join(map(repr, names))}"
        )
    if not sheet and len(names) > 1:
        others = ", ".join(map(repr, names[1:6]))
        notes = [f"read from sheet {title!r}; SAMPLE={path.name}#NAME reads another one: {others}", *notes]
    return Records(found.rows, (*found.notes, *notes))


def _title(names: Sequence[str], wanted: str, path: Path) -> str:
    if not names:
        raise SampleError(f"{path} has no visible sheet with cells")
    if not wanted:
        return names[0]
    same = [name for name in names if name.strip().lower() == wanted.strip().lower()]
    if not same:
        raise SampleError(f"{path} has no sheet {wanted!r}; it has {', '.join(map(repr, names))}")
    return wanted if wanted in same else same[0]


def _rows(values: Sequence[Row]) -> Iterator[Cells]:
    """Rows that hold something, from the header on, without empty cells at the end."""
    texts = [[as_text(value) for value in row] for row in values]
    head = [
        number for number, row in enumerate(texts[:HEADER_WITHIN]) if TEXT in [cell.strip().lower() for cell in row]
    ]
    for number, row in enumerate(texts[head[0] if head else 0 :], start=head[0] if head else 0):
        while row and not row[-1].strip():
            row.pop()
        if row:
            yield Cells(number + 1, row)


def as_text(value: object) -> str:
    """A cell as people read it: whole numbers without a point, days without a time."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    return str(value) if not isinstance(value, date) else value.isoformat()


def _mend(content: bytes, title: str, values: list[Row]) -> list[str]:
    """Fill merged cells, whose value stands in the first of them only, in place; count formulas without a value.

    The reader that goes row by row knows of neither; so a sheet with empty cells is read as a whole, unless it is huge.
    """
    cells = sum(map(len, values))
    complete = len({len(row) for row in values}) == 1 and all(value is not None for row in values for value in row)
    if complete or cells > MOST_CELLS:
        return []
    sheet = load_workbook(io.BytesIO(content))[title]
    filled = 0
    for merged in sheet.merged_cells.ranges:
        value = _at(values, merged.min_row, merged.min_col)
        for row, column in [] if value is None else merged.cells:
            if merged.min_col == merged.max_col and _at(values, row, column) is None:
                filled += _put(values, row, column, value)
    notes = [f"{filled} merged cells have the value of the first of them"] if filled else []
    uncounted = sum(
        cell.data_type == "f" and _at(values, cell.row, cell.column) is None
        for row in sheet.iter_rows()
        for cell in row
    )
    if uncounted:
        notes.append(f"{uncounted} formulas have no stored value; open the file in Excel and save it, then they have")
    return notes


def _at(values: Sequence[Row], row: int, column: int) -> Any:
    return values[row - 1][column - 1] if row <= len(values) and column <= len(values[row - 1]) else None


def _put(values: list[Row], row: int, column: int, value: object) -> bool:
    if row > len(values) or not any(cell is not None for cell in values[row - 1]):
        return False  # a row that holds nothing else stays empty
    values[row - 1] += [None] * (column - len(values[row - 1]))
    values[row - 1][column - 1] = value
    return True
