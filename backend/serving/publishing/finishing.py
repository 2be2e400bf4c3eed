"""Make a promise's labels final in Label Studio, and take that back: annotations that say that no person made them.

Both can be killed at any point and started again. An annotation of ours is known by the mark in it, so that none is
written twice; what a person has touched is theirs, and is neither covered nor removed.
"""

from __future__ import annotations

from typing import Any

import structlog

from backend.label_studio.annotations import accepted_label, accepted_result
from backend.label_studio.client import LabelStudio
from backend.label_studio.predictions import regions
from backend.pool import annotations as people
from backend.pool import certified
from backend.projects.job import Job
from model.whole_answers import labels_of

log = structlog.get_logger(__name__)

NOTE = "left to the student by a promise about the whole pool; no person has seen it"


def write_accepted(job: Job, label_studio: LabelStudio) -> tuple[int, int]:
    """Annotate every task that the certificate leaves to the student; how many have it now, and how many were left
    alone, because a person had decided them."""
    engine, control = job.services.engine, job.current.control
    rows = certified.rows(engine, job.number, "accepted")
    decided = people.human_labels(engine, job.number)
    written = theirs = 0
    for done, (task, row) in enumerate(rows.items()):
        if row.written == "annotation":
            written += 1
            continue
        there = [] if task in decided else label_studio.annotations(task)
        ours = next((one for one in there if accepted_label(control, one)), None)
        if task in decided or (there and ours is None):
            theirs += 1
            continue
        result = accepted_result(regions(control, labels_of(control.space, row.label)), row.label, NOTE)
        number = int(ours["id"]) if ours is not None else label_studio.add_annotation(task, result)
        certified.note_written(engine, job.number, [task], "annotation", number)
        written += 1
        job.step(f"writing accepted labels: {done + 1} of {len(rows)}", (done + 1) / len(rows))
    return written, theirs


def remove_accepted(job: Job, label_studio: LabelStudio) -> tuple[int, int]:
    """Delete the annotations that a promise wrote; how many went, and how many stay, because a person changed them."""
    engine = job.services.engine
    rows = certified.rows(engine, job.number, "accepted")
    told = people.of_tasks(engine, job.number, rows.keys())
    marked = {task for task, found in told.items() if any(row.state == "accepted" for row in found)}
    wanted = sorted(task for task, row in rows.items() if row.written == "annotation" or task in marked)
    gone = kept = 0
    for done, task in enumerate(wanted):
        for one in label_studio.annotations(task):
            if _untouched(job, one):
                label_studio.remove_annotation(int(one["id"]))
                gone += 1
            elif one.get("id") == rows[task].annotation:
                kept += 1
        certified.note_written(engine, job.number, [task], "", None)
        job.step(f"taking accepted labels back: {done + 1} of {len(wanted)}", (done + 1) / len(wanted))
    leftover = [task for task, row in rows.items() if row.written == "prediction"]
    certified.note_written(engine, job.number, leftover, "", None)
    return gone, kept


def _untouched(job: Job, annotation: dict[str, Any]) -> bool:
    return accepted_label(job.current.control, annotation) is not None and not annotation.get("was_cancelled")
