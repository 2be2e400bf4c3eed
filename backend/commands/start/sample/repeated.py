"""Label Studio's CSV, TSV and JSON_MIN exports have a row for every annotation: those of one task belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.commands.start.sample.columns import Columns

EXPORTED = ("annotation_id", "id")  # columns by which such a file is known; `id` is the task's


def joined(
    records: Sequence[tuple[int, dict[str, Any]]], columns: Columns
) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """The records with one for each task, whose label cell lists those of its annotations, and what was done.

    Files of other origin stay as they are: only Label Studio names its annotations so.
    """
    if not columns.label or not records or not all(name in record for _, record in records[:1] for name in EXPORTED):
        return list(records), []
    tasks: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    found: dict[tuple[str, str], list[Any]] = {}
    for line, record in records:
        key = (str(record.get("id")), str(record.get(columns.text)))
        tasks.setdefault(key, (line, record))
        found.setdefault(key, []).append(record.get(columns.label))
    several = sum(len(cells) > 1 for cells in found.values())
    if not several:
        return list(records), []
    rows = [
        (line, record if len(found[key]) == 1 else {**record, columns.label: found[key]})
        for key, (line, record) in tasks.items()
    ]
    return rows, [f"{several} tasks were labelled more than once; each of them is one text"]
