"""A project's labels, each with where it comes from, as CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import ProjectError, ShortlistError
from backend.pool import candidates, predictions, tasks, version_names
from backend.pool.annotations import human_labels, of_tasks
from backend.pool.figures import answered_sets, predicted_labels
from backend.pool.standing import known
from backend.projects.current import Current
from backend.reporting import behind, ranks
from backend.reporting.question_columns import by_column, column
from model.group_answers import answer_of, answered, applies, asked, limited
from model.labels import HumanLabel, LabelSpace

KINDS = (".csv", ".jsonl", ".parquet")
COLUMNS = ("task", "text", "label", "labels", "source", "confidence", "people", "candidates", "candidate_confidences",
           "teacher", "student", "student_label", "student_confidence", "certain", "student_labels",
           *behind.COLUMNS)  # fmt: skip
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
    `confidence` how sure that source was (empty for people). Where several labels may be right `labels` are all of that
    source (of the teacher those that are certain), and `label` is the first of them. Several questions have a column
    each, named after its control: one label, or a list where several may be right; what a person left open is filled in
    by student or teacher, and `source` is then theirs. In search there are each task's query, relevance and rank.
    """
    write = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}.get(path.suffix.lower())
    if write is None:
        raise ProjectError(f"{path.name}: the ending must be one of {', '.join(KINDS)}")
    counts: dict[str, int] = {}
    total = tasks.count(current.engine, current.number)

    def counted() -> Iterator[dict[str, Any]]:
        for done, row in enumerate(ranks.ranked(current, behind.stand_behind(current, rows(current))), start=1):
            counts[row["source"]] = counts.get(row["source"], 0) + 1
            if done % 1000 == 0 or done == total:
                progress(done, total)
            yield row

    waiting = path.with_name(f".{path.name}.part")
    try:
        write(waiting, counted(), columns(current))
        waiting.replace(path)
    except OSError as error:
        raise ShortlistError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        waiting.unlink(missing_ok=True)
    return Exported(sum(counts.values()), {name: counts[name] for name in sorted(counts) if name})


def rows(current: Current) -> Iterator[dict[str, Any]]:
    """One object per task, by task, but for who stands `behind` it. Only what stands is in it: answers to the present
    text, of labels that there are."""
    engine, number = current.engine, current.number
    space, several = current.space, current.space.several
    people = {task: one for task, one in human_labels(engine, number).items() if known(one.labels, space.names)}
    who = of_tasks(engine, number)
    teacher, student = current.teacher_version, current.chooser
    for chunk in tasks.iterate(engine, number, CHUNK):
        ids = [task for task, _ in chunk]
        sets = answered_sets(engine, number, teacher, ids)
        said = predicted_labels(engine, number, student, ids) if student else {}
        ticked = predictions.several(engine, number, student, ids) if student and several else {}
        sure = candidates.read(engine, number, teacher, list(sets)) if several else {}
        for task, text in chunk:
            labels = people[task].labels if task in people else ()
            names, shares = sets.get(task, ([], []))
            answer = said.get(task)
            label, source, confidence = _final(labels, answer, student, names, shares)
            named = sure[task].candidates if task in sure else None
            certain = answer_of(space, named) if named is not None else ()
            if several:
                sides = people.get(task), ticked.get(task) if answer else None, certain if task in sets else None
                labels, source, confidence = _final_set(space, *sides, student, answer)
                label = next(iter(labels), "")
            rows_here = [row for row in who.get(task, []) if row.state == "labelled" and _counts(row.labels, space)]
            persons = {row.annotator for row in rows_here}
            yield {
                "task": task,
                "text": text,
                "label": label,
                "labels": list(labels),
                "source": source,
                "confidence": confidence,
                "people": sorted(person for person in persons if person is not None),
                "candidates": names,
                "candidate_confidences": shares,
                "teacher": teacher if task in sets else "",
                "certain": list(certain),
                **_of_student(student, answer, ticked.get(task, ())),
                **by_column(space, labels),
                behind.BY_PERSON: _decided(space, people.get(task)),
            }


def _of_student(student: str, answer: tuple[str, float] | None, ticked: Sequence[str]) -> dict[str, Any]:
    """The columns of what the student says, empty where it says nothing."""
    label, confidence = answer or ("", None)
    said = {"student": student if answer else "", "student_label": label, "student_confidence": confidence}
    return {**said, "student_labels": list(ticked) if answer else []}


def _decided(space: LabelSpace, person: HumanLabel | None) -> list[str]:
    """The questions that people decided."""
    given = person.certain or () if person is not None else ()
    return [group.name for group in answered(space, given)] if space.questions else []


def _counts(labels: Sequence[str], space: LabelSpace) -> bool:
    """Whether a person's annotation is among the answers: all its labels, of several questions any, are there."""
    return any(label in space for label in labels) if space.questions else known(labels, space.names)


def columns(current: Current) -> dict[str, bool]:
    """The columns of a project's export: COLUMNS, one for each of several questions, ranks; which hold lists."""
    return {
        **dict.fromkeys(COLUMNS, False),
        **{column(group): group.kind == "any" for group in current.space.questions},
        **dict.fromkeys(behind.columns(current.space), False),
        **dict.fromkeys(ranks.COLUMNS if ranks.ranks(current) else (), False),
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


def _final_set(
    space: LabelSpace,
    person: HumanLabel | None,
    ticked: tuple[str, ...] | None,
    certain: tuple[str, ...] | None,
    student: str,
    answer: tuple[str, float] | None,
) -> tuple[tuple[str, ...], str, float | None]:
    """(labels, source, confidence) where an answer is a set, also the empty one: the person's, the student's, or what
    the teacher would tick. Of several questions those that the person left open are answered by one of these."""
    given = person.certain if person is not None else None
    other: tuple[tuple[str, ...], str, float | None] = ((), "", None)
    if ticked is not None and answer is not None:
        other = ticked, version_names.kind_of(student), answer[1]
    elif certain is not None:
        other = certain, "teacher", None
    if given is None:
        return other
    done = answered(space, given)
    rest = [group for group in space.questions if group not in done and applies(group, given)]
    more = limited(space, other[0], rest)
    kept = asked(space, (*given, *more))
    labels = tuple(label for label in (*given, *more) if label in kept)
    return (labels, *other[1:]) if more else (given, "person", None)


def _csv(path: Path, found: Iterator[dict[str, Any]], names: Mapping[str, bool]) -> None:
    """Lists are JSON in their cell. A cell that a spreadsheet would take for a formula gets a quote in front."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([_cell(name) for name in names])
        for row in found:
            writer.writerow([_cell(row[name]) for name in names])


def _cell(value: Any) -> object:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _jsonl(path: Path, found: Iterator[dict[str, Any]], names: Mapping[str, bool]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in found:
            file.write(json.dumps({name: row[name] for name in names}, ensure_ascii=False) + "\n")


def _parquet(path: Path, found: Iterator[dict[str, Any]], names: Mapping[str, bool]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        install = f"`{sys.executable} -m pip install pyarrow`"
        raise ProjectError(f"Parquet needs the package pyarrow: {install}, or write .csv or .jsonl") from None
    words, numbers = pa.list_(pa.string()), pa.list_(pa.float64())
    types = {"task": pa.int64(), "labels": words, "candidates": words, "candidate_confidences": numbers}
    types |= {"certain": words, "student_labels": words}
    types |= {
        "relevance": pa.float64(),
        "rank": pa.int64(),
        "confidence": pa.float64(),
        "student_confidence": pa.float64(),
        "people": pa.list_(pa.int64()),
    }
    types |= {name: words for name, several in names.items() if several}
    types |= {name: pa.float64() for name in names if name.split(":")[0] == "bound"}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in names])
    with pq.ParquetWriter(path, schema) as writer:
        chunk: list[dict[str, Any]] = []
        for row in found:
            chunk.append(row)
            if len(chunk) == CHUNK:
                writer.write_table(pa.Table.from_pylist(chunk, schema))
                chunk = []
        writer.write_table(pa.Table.from_pylist(chunk, schema))
