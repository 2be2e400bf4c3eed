"""Reads a sample file: CSV, TSV, JSON lines or JSON, plain or gzipped. Bad rows are named and left out."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.commands.start.sample.columns import Columns, choose_columns
from backend.errors import SampleError

FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
LONGEST_TEXT = 100_000  # characters; longer cells are nearly always a quote that was never closed


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One text, with the line of the file it comes from and its label (empty where there is none)."""

    line: int
    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that was left out, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line} skipped: {self.reason}"


@dataclass(frozen=True)
class SampleFile:
    """What a file holds. `digest` is a hash of its content, so that a second start recognises it."""

    path: Path
    rows: tuple[SampleRow, ...]
    bad: tuple[BadRow, ...]
    columns: Columns
    digest: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in use, sorted."""
        return tuple(sorted({row.label for row in self.rows if row.label}))


Record = tuple[int, dict[str, Any] | BadRow]


def read_sample(path: Path) -> SampleFile:
    """Read a file; SampleError names the file if it cannot be read, is empty, or has no text column."""
    content = _content(path)
    kind = _kind(path)
    records = list(_records(kind, content, path))
    if not records:
        raise SampleError(f"{path} is empty: it has no rows")
    good = [(line, record) for line, record in records if isinstance(record, dict)]
    bad = [record for _, record in records if isinstance(record, BadRow)]
    if not good:
        raise SampleError(f"{path} has no usable row; {bad[0]}")
    columns = choose_columns([record for _, record in good], path)
    rows: list[SampleRow] = []
    for line, record in good:
        row = _row(line, record, columns)
        (rows if isinstance(row, SampleRow) else bad).append(row)  # type: ignore[arg-type]
    bad.sort(key=lambda row: row.line)
    if not rows:
        raise SampleError(f"{path} has no usable row; {bad[0]}")
    return SampleFile(path, tuple(rows), tuple(bad), columns, hashlib.sha256(content).hexdigest())


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


def _records(kind: str, content: bytes, path: Path) -> Iterator[Record]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        text = content.decode("utf-8-sig", errors="surrogateescape")  # a bad byte costs its row, not the file
    if kind in (".csv", ".tsv"):
        return _csv_records(text, kind)
    return _json_records(text, path) if kind == ".json" else _json_lines(text)


def _json_lines(text: str) -> Iterator[Record]:
    for line, content in enumerate(io.StringIO(text), start=1):
        if not content.strip():
            continue
        try:
            value = json.loads(content)
        except ValueError as error:
            yield line, BadRow(line, f"not JSON ({error})")
        else:
            yield line, _as_object(line, value)


def _json_records(text: str, path: Path) -> Iterator[Record]:
    try:
        values = json.loads(text) if text.strip() else []
    except ValueError as error:
        raise SampleError(f"{path} is not JSON: {error}; a file with one object per line is called .jsonl") from None
    if not isinstance(values, list):
        raise SampleError(f"{path} must hold a JSON list of objects, it holds {type(values).__name__}")
    for number, value in enumerate(values, start=1):
        yield number, _as_object(number, value)


def _as_object(line: int, value: object) -> dict[str, Any] | BadRow:
    if not isinstance(value, dict):
        return BadRow(line, f"not an object but {type(value).__name__}")
    return value["data"] if isinstance(value.get("data"), dict) else value  # a task as Label Studio exports it


def _csv_records(text: str, kind: str) -> Iterator[Record]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if kind == ".tsv" else _delimiter(text))
    header: list[str] = []
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, BadRow(start, f"not CSV ({error})")
            cells = []
        line, start = start, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = [cell.strip() for cell in cells]
        elif len(cells) > len(header):
            yield line, BadRow(line, f"{len(cells)} columns, but the header has {len(header)}")
        else:
            yield line, dict(zip(header, cells, strict=False))


def _delimiter(text: str) -> str:
    """The separator that occurs most often in the header line; a comma when none does."""
    header = next((line for line in io.StringIO(text) if line.strip()), "")
    return max(",;\t|", key=header.count)


def _row(line: int, record: dict[str, Any], columns: Columns) -> SampleRow | BadRow:
    text = record.get(columns.text)
    if not isinstance(text, str) or not text.strip():
        return BadRow(line, f"no text in column {columns.text!r}")
    if len(text) > LONGEST_TEXT:
        return BadRow(line, f"the text has {len(text)} characters, more than {LONGEST_TEXT}")
    label = record.get(columns.label) if columns.label else None
    label = "" if label is None else " ".join(str(label).split())
    problem = _problem(text, label)
    if problem:
        return BadRow(line, problem)
    return SampleRow(line, text.strip(), label)


def _problem(text: str, label: str) -> str:
    """Why a database or an XML label config would refuse these characters; empty if none would."""
    if text.isprintable() and label.isprintable():
        return ""
    if any("\ud800" <= character <= "\udfff" for character in text + label):
        return "it is not valid UTF-8"
    if "\0" in text:
        return "the text contains a NUL character"
    return "" if label.isprintable() else f"the label {label!r} contains control characters"
