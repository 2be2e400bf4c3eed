"""One annotation, and how what several events say about it becomes one state, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

AnnotationState = Literal["labelled", "skipped", "empty", "deleted"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one person did with one task. `updated_at` is Label Studio's, ISO 8601 in one form, compared as text.

    `task` is 0 while only the deletion is known. `shown_…` is the prediction that the person had in front of them;
    `shown_at` is the time of the event that told about it.
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
