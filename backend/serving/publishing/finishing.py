"""Make a promise's labels final in Label Studio, and take that back: annotations that say that no person made them.

Both can be killed at any point and started again. An annotation of ours is known by the mark in it, so that none is
written twice; what a person has touched is theirs, and is neither covered nor removed.

Where Label Studio asks several people about each task, it gives them first what somebody else has annotated: a task
with an annotation of ours would come before all that people must still see. So one annotation is enough there.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import structlog

from backend.errors import LabelStudioLacks
from backend.label_studio.annotations import accepted_label, accepted_result, mark_of
from backend.label_studio.client import LabelStudio
from backend.label_studio.predictions import regions
from backend.pool import annotations as people
from backend.pool import certified, tasks
from backend.pool.certified import Row
from backend.projects.job import Job
from backend.projects.stream import voices
from model.whole_answers import labels_of

log = structlog.get_logger(__name__)

NOTE = "left to the student by a promise about the whole pool; no person has seen it"


class Written(NamedTuple):
    """How many tasks have the student's label as an annotation now; how many people had decided, and are left alone;
    how many are in Label Studio no more."""

    ours: int
    theirs: int
    gone: int


def write_accepted(job: Job, label_studio: LabelStudio) -> Written:
    """Annotate every task that the certificate leaves to the student."""
    engine = job.services.engine
    rows, here = certified.rows(engine, job.number, "accepted"), set(tasks.all_ids(engine, job.number))
    decided = people.human_labels(engine, job.number)
    several = voices(label_studio.project(job.label_studio_id)) > 1
    ours = theirs = 0
    left = {task: row for task, row in rows.items() if task in here}
    for done, (task, row) in enumerate(left.items()):
        if several and task not in decided:
            _ask_of(label_studio, task, 1)
        if row.written == "annotation" and task not in decided:
            ours += 1
            continue
        number = None if task in decided else _annotation(job, label_studio, row)
        if number is None:
            theirs += 1
            continue
        certified.note_written(engine, job.number, [task], "annotation", number)
        ours += 1
        job.step(f"writing accepted labels: {done + 1} of {len(left)}", (done + 1) / len(left))
    return Written(ours, theirs, len(rows) - len(left))


def _annotation(job: Job, label_studio: LabelStudio, row: Row) -> int | None:
    """The number of our annotation, found or made; None where there is one of somebody else."""
    control, there = job.current.control, _annotations(label_studio, row.task)
    ours = next((one for one in there if accepted_label(control, one)), None)
    if ours is not None or there:
        return int(ours["id"]) if ours is not None else None
    result = accepted_result(regions(control, labels_of(control.space, row.label)), row.label, NOTE)
    return label_studio.add_annotation(row.task, result)


def _annotations(label_studio: LabelStudio, task: int) -> list[dict[str, Any]]:
    """None of a task that is gone."""
    try:
        return label_studio.annotations(task)
    except LabelStudioLacks:
        return []


def _ask_of(label_studio: LabelStudio, task: int, number: int) -> None:
    """Nothing of a task that is gone."""
    with suppress(LabelStudioLacks):
        label_studio.ask_of(task, number)


def remove_accepted(job: Job, label_studio: LabelStudio) -> tuple[int, int]:
    """Delete the annotations that a promise wrote; how many went, and how many stay, because a person changed them."""
    engine = job.services.engine
    rows = certified.rows(engine, job.number, "accepted")
    told = people.of_tasks(engine, job.number, rows.keys())
    marked = {task for task, found in told.items() if any(row.state == "accepted" for row in found)}
    wanted = sorted(task for task, row in rows.items() if row.written == "annotation" or task in marked)
    gone = kept = 0
    asked = voices(label_studio.project(job.label_studio_id))
    for task in rows.keys() if asked > 1 else ():  # also where a killed run had asked and not yet written
        _ask_of(label_studio, task, asked)
    for done, task in enumerate(wanted):
        for one in _annotations(label_studio, task):
            if _untouched(job, rows[task], one):
                label_studio.remove_annotation(int(one["id"]))
                gone += 1
            elif one.get("id") == rows[task].annotation:
                kept += 1
        certified.note_written(engine, job.number, [task], "", None)
        job.step(f"taking accepted labels back: {done + 1} of {len(wanted)}", (done + 1) / len(wanted))
    leftover = [task for task, row in rows.items() if row.written == "prediction"]
    certified.note_written(engine, job.number, leftover, "", None)
    return gone, kept


def _untouched(job: Job, row: Row, annotation: dict[str, Any]) -> bool:
    """Whether it is still ours. The one on record is, whatever became of the labels since."""
    known = annotation.get("id") == row.annotation and mark_of(annotation) == row.label
    ours = known or accepted_label(job.current.control, annotation) is not None
    return ours and not annotation.get("was_cancelled")
