"""One annotation, and how what several events say about it becomes one state, whatever their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from model.groups import Group
from model.labels import HumanLabel, LabelSpace

AnnotationState = Literal["labelled", "skipped", "empty", "deleted", "accepted"]


class Meaning(NamedTuple):
    """What ticks mean in a project: several labels may be right at once, `least` is 0 where none may be, too.

    `space` is there where there are several questions.
    """

    several: bool = False
    least: int = 1
    space: LabelSpace | None = None

    @property
    def with_none(self) -> bool:
        """Whether an annotation without a tick is an answer."""
        return self.several and not self.least


ONE = Meaning()


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one person did with one task. `updated_at` is Label Studio's, ISO 8601 in one form, compared as text.

    `task` is 0 while only the deletion is known. `shown_…` is the prediction that the person had in front of them;
    `shown_at` is the time of the event that told about it. `unknown` are ticked labels that the label
    config did not have when the annotation was read. `accepted`: no person did it, a promise wrote it. `lead_time` are
    the seconds that the person had the task open; later visits add to them at Label Studio.
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
    lead_time: float | None = None


def tombstone(annotation: int, task: int, updated_at: str) -> Annotation:
    """What is kept of a deleted annotation, so that a late event cannot bring it back."""
    return Annotation(annotation, task, None, (), "deleted", False, updated_at)


def merge(known: Annotation | None, event: Annotation) -> Annotation:
    """The state after an event; the same for every order and any repetition of events.

    A deletion is final, because Label Studio never gives an id twice. Else the newer `updated_at` wins; of two equal
    ones the one that was read last, because it can differ only in which labels the label space knew. What was shown
    comes from the earliest event that tells it: later ones may show a version that has learned from this person. The
    least lead time is that of the first submission.
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
        lead_time=min((row.lead_time for row in (known, event) if row.lead_time is not None), default=None),
    )


def _shown(row: Annotation) -> tuple[str, str, tuple[str, ...], float]:
    score = row.shown_score if row.shown_score is not None else -1.0
    return row.shown_at or "", row.shown_version or "", row.shown_labels or (), score


def decide(annotations: Iterable[Annotation], meaning: Meaning = ONE) -> HumanLabel | None:
    """What people decided about one task, from all its annotations in any order; None if nobody decided anything.

    1. Deleted annotations and empty submissions say nothing.
    2. Of several annotations by one person the newest counts; those without a person count each for themselves.
    3. Where labels are marked as ground truth, only these count.
    4. Everybody has one vote for each label that they left ticked; the labels with the most votes are the decision, so
       that a tie stays a narrowed candidate set.
    5. A task is skipped only if nobody labelled it.

    Where several labels may be right (`meaning`), 4 differs: certain is what more than half have ticked, possible what
    at least half have; and an annotation without a tick is an answer, if the label config allows none. Of several
    questions each is decided for itself, by those who answered it; one that nobody answered stays open.
    """
    counting = [row for row in annotations if row.state == "skipped" or says(row, meaning)]
    if not counting:
        return None
    if len(counting) == 1 and not meaning.several:
        return HumanLabel(tuple(dict.fromkeys(counting[0].labels)))
    truth = [row for row in counting if row.ground_truth and says(row, meaning)]
    voices = [row for row in _newest_of_each(truth or counting) if says(row, meaning)]
    if meaning.space is not None and voices:
        return _by_question(voices, meaning.space)
    said = [row.labels for row in voices]
    return _by_half(said) if meaning.several and voices else HumanLabel(_most_votes(said))


def says(row: Annotation, meaning: Meaning = ONE) -> bool:
    """Whether an annotation is an answer: it has a label, or none where "no label applies" is one.

    Without a tick because all that was ticked is no label any more is none.
    """
    return row.state == "labelled" or (row.state == "empty" and meaning.with_none and not row.unknown)


def _by_question(voices: Sequence[Annotation], space: LabelSpace) -> HumanLabel | None:
    """The answers to all questions; None where only labels were ticked that there are no more."""
    found = [_of_question(voices, space, group) for group in space.groups]
    certain = tuple(label for one in found for label in one.certain or ())
    open_still = tuple(label for one in found for label in one.labels if label not in certain)
    return HumanLabel(certain + open_still, certain) if certain or open_still else None


def _of_question(voices: Sequence[Annotation], space: LabelSpace, group: Group) -> HumanLabel:
    """What those decided who answered a question; nothing where nobody did."""
    names = space.names[group.columns]
    said = [own for row in voices if (own := tuple(label for label in row.labels if label in names))]
    if group.kind == "any":
        return _by_half(said)
    most = _most_votes(said)
    return HumanLabel(most, most if len(most) == 1 else ())


def _by_half(voices: Sequence[Sequence[str]]) -> HumanLabel:
    """What more than half of the voices ticked, and in addition what exactly half did."""
    votes = Counter(label for labels in voices for label in dict.fromkeys(labels))
    certain = tuple(label for label, number in votes.items() if 2 * number > len(voices))
    tied = tuple(label for label, number in votes.items() if 2 * number == len(voices))
    return HumanLabel(certain + tied, certain)


def _newest_of_each(rows: Iterable[Annotation]) -> list[Annotation]:
    """One annotation per person, oldest first."""
    newest: dict[tuple[str, int], Annotation] = {}
    for row in sorted(rows, key=lambda row: (row.updated_at, row.annotation)):
        who = ("annotation", row.annotation) if row.annotator is None else ("annotator", row.annotator)
        newest[who] = row
    return sorted(newest.values(), key=lambda row: (row.updated_at, row.annotation))


def _most_votes(voices: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The labels with the most votes, in the order in which they were first named; () without voices."""
    votes = Counter(label for labels in voices for label in dict.fromkeys(labels))
    most = max(votes.values(), default=0)
    return tuple(label for label, number in votes.items() if number == most)
