"""From the annotations of a task to one human label: who counts, and what happens when people disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from model.labels import HumanLabel

if TYPE_CHECKING:
    from backend.pool.annotation import Annotation


def decide(annotations: Iterable[Annotation]) -> HumanLabel | None:
    """What people decided about one task, from all its annotations in any order; None if nobody decided anything.

    1. Deleted annotations and empty submissions say nothing.
    2. Of several annotations by one person the newest counts; those without a person count each for themselves.
    3. Where labels are marked as ground truth, only these count.
    4. Everybody has one vote for each label that they left ticked; the labels with the most votes are the decision, so
       that a tie stays a narrowed candidate set.
    5. A task is skipped only if nobody labelled it.
    """
    counting = [row for row in annotations if row.state in ("labelled", "skipped")]
    if not counting:
        return None
    if len(counting) == 1:
        return HumanLabel(tuple(dict.fromkeys(counting[0].labels)))
    truth = [row for row in counting if row.ground_truth and row.state == "labelled"]
    voices = [row for row in _newest_of_each(truth or counting) if row.state == "labelled"]
    return HumanLabel(_most_votes(voices))


def of_project(engine: sa.Engine, project: int) -> dict[int, HumanLabel]:
    """The human labels of a project by task; skipped tasks are among them, with no label."""
    from backend.pool.annotations import of_tasks

    decided = ((task, decide(rows)) for task, rows in of_tasks(engine, project).items())
    return {task: label for task, label in decided if label is not None}


def _newest_of_each(rows: Iterable[Annotation]) -> list[Annotation]:
    """One annotation per person, oldest first."""
    newest: dict[tuple[str, int], Annotation] = {}
    for row in sorted(rows, key=lambda row: (row.updated_at, row.annotation)):
        who = ("annotation", row.annotation) if row.annotator is None else ("annotator", row.annotator)
        newest[who] = row
    return sorted(newest.values(), key=lambda row: (row.updated_at, row.annotation))


def _most_votes(voices: Iterable[Annotation]) -> tuple[str, ...]:
    """The labels with the most votes, in the order in which they were first named; () without voices."""
    votes = Counter(label for row in voices for label in dict.fromkeys(row.labels))
    most = max(votes.values(), default=0)
    return tuple(label for label, number in votes.items() if number == most)
