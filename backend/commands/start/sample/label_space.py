"""The label space of a sample, and the label config that Label Studio gets for it."""

from __future__ import annotations

import json
from pathlib import Path

from backend.commands.start.sample.file import SampleFile
from backend.errors import SampleError
from backend.label_studio.templates import label_config as filled
from model.errors import LabelSpaceError
from model.labels import Label, LabelSpace

SHIPPED = Path(__file__).parent
MOST_LABELS = 1000
SHOWN_IN_LINE = 20  # more labels than this go into a drop-down


def shipped_messages() -> Path:
    """The sample file that comes with Shortlist."""
    return SHIPPED / "messages.jsonl"


def shipped_space() -> LabelSpace:
    """Its labels, each with a hint."""
    rows = json.loads((SHIPPED / "labels.json").read_text(encoding="utf-8"))
    return LabelSpace(tuple(Label(row["name"], hint=row["hint"]) for row in rows))


def label_space(sample: SampleFile, given: str = "") -> LabelSpace:
    """The labels given as `a,b,c`, else those in the file's label column, sorted.

    Raises SampleError if there are none, only one, or so many that the column cannot hold labels.
    """
    if sample.path == shipped_messages() and not given:
        return shipped_space()
    names = [" ".join(name.split()) for name in given.split(",") if name.strip()] or list(sample.labels)
    if not names:
        raise SampleError(f'{sample.path} has no column "label"; name the labels with LABELS="first,second,…"')
    labelled = sum(bool(row.label) for row in sample.rows)
    if not given and (len(names) > MOST_LABELS or len(names) > max(20, labelled // 2)):
        column = sample.columns.label
        raise SampleError(
            f"column {column!r} of {sample.path} has {len(names)} different values in {labelled} rows, too many for "
            'labels; name the labels with LABELS="first,second,…"'
        )
    try:
        return LabelSpace.of(names)
    except LabelSpaceError as error:
        raise SampleError(f"{sample.path}: {error}") from None


def label_config(space: LabelSpace) -> str:
    """Label config A: several choices can be ticked, and the annotator leaves one."""
    return filled("several-ticks" if len(space) <= SHOWN_IN_LINE else "many-labels", space.labels)
