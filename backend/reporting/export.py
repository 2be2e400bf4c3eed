"""A project's labels, each with where it comes from, as CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import ProjectError, ShortlistError
from backend.pool import tasks, version_names
from backend.pool.annotations import human_labels, of_tasks
from backend.pool.figures import answered_sets, predicted_labels
from backend.pool.standing import known
from backend.projects.current import Current

KINDS = (".csv", ".jsonl", ".parquet")
COLUMNS = ("task", "text", "label", "labels", "source", "confidence", "people", "candidates", "candidate_confidences",
           "teacher", "student", "student_label", "student_confidence")  # fmt: skip
CHUNK = 5_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """How many tasks were written, and how many of them have their label from whom."""

    tasks: int
    sources: dict[str, int]


def export_labels(current: Current, path: Path, progress: Progress = lambda done, total: None) -> Exported:
    """Write one row per task to `path`; its ending chooses the format. Nothing is there until all of it is.

    `label` is the person's where somebody decided on one, else the served student's or committee's, else the teacher's
    first candidate; `source` says which (person, student, committee, teacher; empty: nobody answered), and
    `confidence` how sure that source was (empty for people).
    """
    write = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}.get(path.suffix.lower())
    if write is None:
        raise ProjectError(f"{path.name}: the ending must be one of {', '.join(KINDS)}")
    counts: dict[str, int] = {}
    total = tasks.count(current.engine, current.number)

    def counted() -> Iterator[dict[str, Any]]:
        for done, row in enumerate(rows(current), start=1):
            counts[row["source"]] = counts.get(row["source"], 0) + 1
            if done % 1000 == 0 or done == total:
                progress(done, total)
            yield row

    waiting = path.with_name(f".{path.name}.part")
    try:
        write(waiting, counted())
        waiting.replace(path)
    except OSError as error:
        raise ShortlistError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        waiting.unlink(missing_ok=True)
    return Exported(sum(counts.values()), {name: counts[name] for name in sorted(counts) if name})


def rows(current: Current) -> Iterator[dict[str, Any]]:
    """One object per task with the keys COLUMNS, by task. Only what stands is in it: answers to the present text, of
    labels that there are."""
    engine, number = current.engine, current.number
    names_now = current.space.names
    people = {task: one for task, one in human_labels(engine, number).items() if known(one.labels, names_now)}
    who = of_tasks(engine, number)
    teacher, student = current.teacher_version, current.chooser
    for chunk in tasks.iterate(engine, number, CHUNK):
        ids = [task for task, _ in chunk]
        sets = answered_sets(engine, number, teacher, ids)
        said = predicted_labels(engine, number, student, ids) if student else {}
        for task, text in chunk:
            labels = people[task].labels if task in people else ()
            names, shares = sets.get(task, ([], []))
            answer = said.get(task)
            label, source, sure = _final(labels, answer, student, names, shares)
            rows_here = [row for row in who.get(task, []) if row.state == "labelled" and known(row.labels, names_now)]
            persons = {row.annotator for row in rows_here}
            yield {
                "task": task,
                "text": text,
                "label": label,
                "labels": list(labels),
                "source": source,
                "confidence": sure,
                "people": sorted(person for person in persons if person is not None),
                "candidates": names,
                "candidate_confidences": shares,
                "teacher": teacher if names else "",
                "student": student if answer else "",
                "student_label": answer[0] if answer else "",
                "student_confidence": answer[1] if answer else None,
            }


def _final(
    labels: tuple[str, ...], answer: tuple[str, float] | None, served: str, names: list[str], shares: list[float]
) -> tuple[str, str, float | None]:
    """(label, source, confidence). A narrowed decision of a person limits what others may say."""
    if len(labels) == 1:
        return labels[0], "person", None
    if answer and (not labels or answer[0] in labels):
        return answer[0], version_names.kind_of(served), answer[1]
    for name, share in zip(names, [*shares, *[None] * len(names)], strict=False):
        if not labels or name in labels:
            return name, "teacher", share
    return "", "", None


def _csv(path: Path, found: Iterator[dict[str, Any]]) -> None:
    """Lists are JSON in their cell. A cell that a spreadsheet would take for a formula gets a quote in front."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in found:
            writer.writerow([_cell(row[name]) for name in COLUMNS])


def _cell(value: Any) -> object:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _jsonl(path: Path, found: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in found:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _parquet(path: Path, found: Iterator[dict[str, Any]]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        install = f"`{sys.executable} -m pip install pyarrow`"
        raise ProjectError(f"Parquet needs the package pyarrow: {install}, or write .csv or .jsonl") from None
    words, numbers = pa.list_(pa.string()), pa.list_(pa.float64())
    types = {"task": pa.int64(), "labels": words, "candidates": words, "candidate_confidences": numbers}
    types |= {"confidence": pa.float64(), "student_confidence": pa.float64(), "people": pa.list_(pa.int64())}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    with pq.ParquetWriter(path, schema) as writer:
        chunk: list[dict[str, Any]] = []
        for row in found:
            chunk.append(row)
            if len(chunk) == CHUNK:
                writer.write_table(pa.Table.from_pylist(chunk, schema))
                chunk = []
        writer.write_table(pa.Table.from_pylist(chunk, schema))
