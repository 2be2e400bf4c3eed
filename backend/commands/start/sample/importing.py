"""Brings a sample into Label Studio: a project and its tasks, once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.commands.start.sample.file import SampleFile, SampleRow
from backend.commands.start.sample.label_space import label_config, shipped_messages
from backend.commands.start.sample.state import ROW, SampleState, keep_labels, recall, remember
from backend.label_studio.client import LabelStudio
from backend.label_studio.control import Control
from backend.label_studio.instructions import source_note
from backend.label_studio.label_config import read_labeling_config
from backend.label_studio.predictions import ticks
from backend.label_studio.templates import explanation
from model.labels import LabelSpace

CHUNK = 500  # tasks per import request
NAMED_BAD_ROWS = 10
UNTELLING = ("train", "test", "dev", "data", "sample", "texts")  # file names that say more with their folder


@dataclass(frozen=True)
class Imported:
    """The project that holds the sample; `added` tasks were not there before."""

    project: int
    title: str
    added: int


def import_sample(
    label_studio: LabelStudio,
    sample: SampleFile,
    space: LabelSpace,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    by_people: bool = False,
) -> Imported | None:
    """Find or make the project of this sample and import what it does not hold yet.

    Tasks come in a shuffled order. An interrupted import goes on where it stopped; a finished one is never repeated, so
    that tasks which somebody deleted stay away. None: the shipped sample's project was deleted on purpose. The file's
    labels never become part of a task's data; they go to `folder`, for comparison. With `by_people` they become
    annotations, too.
    """
    key = sample_key(sample, space) + "-people" * by_people
    state = recall(folder, key)
    project = _find(label_studio, key)
    if project is None and state is not None and sample.path == shipped_messages():
        return None
    if project is None:
        project = _make(label_studio, sample, space, key)
    elif state is not None and state.complete:
        return Imported(int(project["id"]), str(project["title"]), 0)
    number = int(project["id"])
    remember(folder, key, SampleState(number, complete=False))
    here = {task["data"].get(ROW) for task in label_studio.tasks(number)}
    missing = [row for row in shuffled(sample) if row.line not in here]
    control = read_labeling_config(label_config(space)) if by_people else None
    for start in range(0, len(missing), CHUNK):
        chunk = missing[start : start + CHUNK]
        label_studio.import_tasks(number, [_task(row, control) for row in chunk])
        progress(start + len(chunk), len(missing))
    keep_labels(sample, folder, number)
    remember(folder, key, SampleState(number, complete=True))
    return Imported(number, str(project["title"]), len(missing))


def shuffled(sample: SampleFile) -> list[SampleRow]:
    """The rows in an order that depends on the file's content alone.

    Files are often sorted by label or date; people label in the order of import, and what they see first must say
    something about all texts.
    """
    rows = list(sample.rows)
    random.Random(sample.digest).shuffle(rows)
    return rows


def sample_key(sample: SampleFile, space: LabelSpace) -> str:
    """What identifies a sample: its content and its labels."""
    return f"{sample.digest[:10]}-{space.hash}"


def title(path: Path) -> str:
    """A title of 3 to 50 characters, as Label Studio wants it."""
    if path == shipped_messages():
        return "Customer messages (sample)"
    name = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    if name in UNTELLING:
        name = f"{path.parent.name} {name}".strip()
    return f"{name[:41]} (sample)"


def _find(label_studio: LabelStudio, key: str) -> dict[str, Any] | None:
    marked = f"[{key}]"
    return next((row for row in label_studio.projects() if marked in str(row.get("description") or "")), None)


def _make(label_studio: LabelStudio, sample: SampleFile, space: LabelSpace, key: str) -> dict[str, Any]:
    fields = {"description": source_note(sample.path.name, key), "expert_instruction": explanation(multiple=True)}
    return label_studio.create_project(title(sample.path), label_config(space), **fields)


def _task(row: SampleRow, control: Control | None) -> dict[str, object]:
    """What Label Studio imports; with `control` the row's labels are an annotation, where the label space has them."""
    data: dict[str, object] = {"text": row.text, ROW: row.line}
    if control is None:
        return data
    known = tuple(label for label in row.labels if label in control.space)
    return {"data": data, "annotations": [{"result": [ticks(control, known)]}] if known else []}
