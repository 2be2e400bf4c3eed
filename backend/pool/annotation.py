"""One annotation, and how what several events say about it becomes one state, whatever their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from model.labels import HumanLabel

AnnotationState = Literal["labelled", "skipped", "empty", "deleted"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one person did with one task. `updated_at` is Label Studio's, ISO 8601 in one form, compared as text.

    `task` is 0 while only the deletion is known. `shown_…` is the prediction that the person had in front of them;
    `shown_at` is the time of the event that told about it. `unknown` are ticked labels that the label
    config did not have when the annotation was read.
    """

    annotation: int
    task: int
    annotator: int | None
    labels: tuple[str, ...]
    state: AnnotationState
    ground_truth: bool
    updated_at: str
    shown_version: str | None = None
    shown_labels: tuple[str, ...] | None = None
    shown_score: float | None = None
    shown_at: str | None = None
    unknown: tuple[str, ...] = ()


def tombstone(annotation: int, task: int, updated_at: str) -> Annotation:
    """What is kept of a deleted annotation, so that a late event cannot bring it back."""
    return Annotation(annotation, task, None, (), "deleted", False, updated_at)


def merge(known: Annotation | None, event: Annotation) -> Annotation:
    """The state after an event; the same for every order and any repetition of events.

    A deletion is final, because Label Studio never gives an id twice. Else the newer `updated_at` wins; of two equal
    ones the one that was read last, because it can differ only in which labels the label space knew. What was shown
    comes from the earliest event that tells it: later ones may show a version that has learned from this person.
    """
    if event.shown_version is not None and event.shown_at is None:
        event = replace(event, shown_at=event.updated_at)
    if known is None:
        return event if event.state != "deleted" else tombstone(event.annotation, event.task, event.updated_at)
    if "deleted" in (known.state, event.state):
        return tombstone(event.annotation, max(known.task, event.task), max(known.updated_at, event.updated_at))
    newest = known if known.updated_at > event.updated_at else event
    told = [row for row in (known, event) if row.shown_version is not None]
    first = min(told, key=_shown, default=newest)
    return replace(
        newest,
        shown_version=first.shown_version,
        shown_labels=first.shown_labels,
        shown_score=first.shown_score,
        shown_at=first.shown_at,
    )


def _shown(row: Annotation) -> tuple[str, str, tuple[str, ...], float]:
    score = row.shown_score if row.shown_score is not None else -1.0
    return row.shown_at or "", row.shown_version or "", row.shown_labels or (), score


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
