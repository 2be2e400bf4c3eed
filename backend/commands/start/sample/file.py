"""Reads a sample file: CSV, TSV, JSON lines, JSON (all of them plain or gzipped) or Excel.

Bad rows are named and left out.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.commands.start.sample.columns import Columns, choose_columns
from backend.commands.start.sample.decoding import decode, refuse_foreign
from backend.commands.start.sample.json_rows import json_lines, json_records
from backend.commands.start.sample.label_cell import UnreadableLabel, labels_of
from backend.commands.start.sample.repeated import joined
from backend.commands.start.sample.row import BadRow, Records
from backend.commands.start.sample.table import csv_records
from backend.errors import SampleError

WORKBOOKS = (".xlsx", ".xlsm")
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", *WORKBOOKS)
LONGEST_TEXT = 100_000  # characters; longer cells are nearly always a quote that was never closed
SHOWN = 3  # unreadable labels that are quoted


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One text, with the line of the file it comes from and its label (empty where there is none).

    `narrowed` are the labels of a row that has several, which then has no `label`.
    """

    line: int
    text: str
    label: str = ""
    narrowed: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """What the row is labelled with."""
        return (self.label,) if self.label else self.narrowed


@dataclass(frozen=True)
class SampleFile:
    """What a file holds. `digest` is a hash of its content, so that a second start recognises it; `notes` are
    sentences about how it was read."""

    path: Path
    rows: tuple[SampleRow, ...]
    bad: tuple[BadRow, ...]
    columns: Columns
    digest: str
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in use, sorted."""
        return tuple(sorted({label for row in self.rows for label in row.labels}))


def read_sample(path: Path) -> SampleFile:
    """Read a file; SampleError names the file if it cannot be read, is empty, or has no text column.

    Of a workbook the first sheet is read, or the one that is named behind a `#`: `tickets.xlsx#Sheet2`.
    """
    path, sheet = _sheet(path)
    content = _content(path)
    found = _records(_kind(path), content, path, sheet)
    if not found.rows:
        raise SampleError(f"{path} is empty: it has no rows")
    good = [(line, record) for line, record in found.rows if isinstance(record, dict)]
    bad = [record for _, record in found.rows if isinstance(record, BadRow)]
    if not good:
        raise SampleError(f"{path} has no usable row; {bad[0]}")
    columns = choose_columns([record for _, record in good], path)
    good, joining = joined(good, columns)
    rows: list[SampleRow] = []
    unreadable: list[str] = []
    for line, record in good:
        row = _row(line, record, columns, unreadable)
        (rows if isinstance(row, SampleRow) else bad).append(row)  # type: ignore[arg-type]
    bad.sort(key=lambda row: row.line)
    if not rows:
        raise SampleError(f"{path} has no usable row; {bad[0]}")
    notes = (*found.notes, *joining, *_label_notes(rows, unreadable))
    digest = hashlib.sha256(content + (f"#{sheet}" if sheet else "").encode()).hexdigest()
    return SampleFile(path, tuple(rows), tuple(bad), columns, digest, notes)


def _sheet(path: Path) -> tuple[Path, str]:
    name, mark, sheet = path.name.rpartition("#")
    if mark and Path(name).suffix.lower() in WORKBOOKS and not path.exists():
        return path.with_name(name), sheet
    return path, ""


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except FileNotFoundError:
        raise SampleError(f"{path} does not exist; give an existing file as SAMPLE=<file>") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SampleError(f"{path} is not a complete gzip file: {error}") from None
    except OSError as error:
        raise SampleError(f"{path} cannot be read: {error.strerror or error}") from None


def _kind(path: Path) -> str:
    kind = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if kind.lower() not in FORMATS:
        raise SampleError(f"{path}: unknown kind of file {kind or path.name!r}; use {', '.join(FORMATS)}, also .gz")
    return kind.lower()


def _records(kind: str, content: bytes, path: Path, sheet: str) -> Records:
    if kind in WORKBOOKS:
        from backend.commands.start.sample.workbook import workbook_records

        return workbook_records(content, path, sheet)
    text, encoding = decode(content, path)
    if kind in (".csv", ".tsv"):
        found = csv_records(text, path, "\t" if kind == ".tsv" else "")
    else:
        found = Records(list(json_records(text, path) if kind == ".json" else json_lines(text)))
    refuse_foreign(found.rows, encoding, path)
    return found


def _row(line: int, record: dict[str, Any], columns: Columns, unreadable: list[str]) -> SampleRow | BadRow:
    text = record.get(columns.text)
    if not isinstance(text, str) or not text.strip():
        return BadRow(line, f"no text in column {columns.text!r}")
    if len(text) > LONGEST_TEXT:
        return BadRow(line, f"the text has {len(text)} characters, more than {LONGEST_TEXT}")
    labels: tuple[str, ...] = ()
    try:
        labels = labels_of(record.get(columns.label)) if columns.label else ()
    except UnreadableLabel as error:
        unreadable.append(f"line {line}: {error}")
    problem = next((found for label in labels or [""] if (found := _problem(text, label))), "")
    if problem:
        return BadRow(line, problem)
    return SampleRow(line, text.strip(), labels[0]) if len(labels) == 1 else SampleRow(line, text.strip(), "", labels)


def _problem(text: str, label: str) -> str:
    """Why a database or an XML label config would refuse these characters; empty if none would."""
    if text.isprintable() and label.isprintable():
        return ""
    if any("\ud800" <= character <= "\udfff" for character in text + label):
        return "it is not valid UTF-8"
    if "\0" in text:
        return "the text contains a NUL character"
    return "" if label.isprintable() else f"the label {label!r} contains control characters"


def _label_notes(rows: Sequence[SampleRow], unreadable: Sequence[str]) -> list[str]:
    """What became of cells that hold more or less than one label."""
    notes = []
    several = sum(bool(row.narrowed) for row in rows)
    if several:
        often = Counter(", ".join(row.narrowed) for row in rows if row.narrowed).most_common(1)[0][0]
        notes.append(f"{several} of {len(rows)} texts have several labels, such as {often}; these stay together")
    if unreadable:
        shown = "; ".join(unreadable[:SHOWN])
        notes.append(f"{len(unreadable)} label cells hold no name that can be read, their texts have no label: {shown}")
    return notes
