"""Answers to several questions at once: taken apart by question, put together, and cut to what is asked.

With one question every function gives back what it was given, so that callers need not tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from model.groups import Group, qualified
from model.labels import CandidateSet, LabelSpace


def asked(space: LabelSpace, labels: Collection[str]) -> set[str]:
    """The labels of an answer without those of questions that are not asked, because their condition does not hold."""
    kept = set(labels)
    for group in space.groups:
        if group.when and not applies(group, kept):
            kept.difference_update(space.names[group.columns])
    return kept


def applies(group: Group, labels: Collection[str]) -> bool:
    """Whether a question is asked beside these answers to those before it."""
    return all(one.holds(labels) for one in group.when)


def answered(space: LabelSpace, labels: Iterable[str]) -> tuple[Group, ...]:
    """The questions that these labels answer. Of people, a question without a label was left open, or not asked."""
    here = {space.group_of[label].start for label in labels if label in space}
    return tuple(group for group in space.groups if group.start in here)


def limited(space: LabelSpace, labels: Iterable[str], groups: Iterable[Group]) -> tuple[str, ...]:
    """Of these labels those that belong to some of the questions; labels that there are not belong to none."""
    kept = {group.start for group in groups}
    return tuple(label for label in labels if label in space and space.group_of[label].start in kept)


def within(space: LabelSpace, place: int, found: CandidateSet) -> CandidateSet | None:
    """What a candidate set says of one question (`place` among the groups), by bare names.

    None where it says nothing: no label where one is right; all possible and none certain where several may be.
    """
    if not space.questions:
        return found
    group, names = space.groups[place], space.parts[place].names
    at = [(number, space.index(name) - group.start) for number, name in enumerate(found.labels)]
    here = [(number, column) for number, column in at if 0 <= column < len(group)]
    labels = tuple(names[column] for _, column in here)
    shares = tuple(found.confidences[number] for number, _ in here) if found.confidences else ()
    if group.kind != "any":
        return CandidateSet(labels, shares) if labels else None
    certain = labels[: sum(number < len(found.certain or ()) for number, _ in here)]
    return None if not certain and len(labels) == len(group) else CandidateSet(labels, shares, certain)


def joined(space: LabelSpace, parts: Sequence[CandidateSet | None]) -> CandidateSet | None:
    """One set of those of all questions (None: nothing is known), the inverse of `within`; None where all are None.

    Where one label is right, a single candidate is certain; what is unknown where several may be is possible.
    """
    if not space.questions:
        return parts[0]
    if not any(part is not None for part in parts):
        return None
    certain: dict[str, float] = {}
    possible: dict[str, float] = {}
    for group, own, part in zip(space.groups, space.parts, parts, strict=True):
        if part is None:
            possible |= dict.fromkeys(space.names[group.columns], 0.0) if group.kind == "any" else {}
            continue
        sure = len(part.certain) if part.certain is not None else len(part.labels) == 1
        assert all(label in own for label in part.labels), "parts have the labels of their question"
        shares = part.confidences or (0.0,) * len(part.labels)
        named = [(qualified(group.name, label), share) for label, share in zip(part.labels, shares, strict=True)]
        certain |= dict(named[:sure])
        possible |= dict(named[sure:])
    both = certain | possible
    given = any(part is not None and part.confidences for part in parts)
    return CandidateSet(tuple(both), tuple(both.values()) if given else (), tuple(certain))


def answer_of(space: LabelSpace, found: CandidateSet) -> tuple[str, ...]:
    """What whoever named these candidates would tick: the first label, or all that are certain, of each question that
    is asked then."""
    if not space.questions:
        return found.answer
    chosen: list[str] = []
    for place, group in enumerate(space.groups):
        part = within(space, place, found)
        if part is not None and applies(group, chosen):
            chosen += [qualified(group.name, label) for label in part.answer]
    return tuple(chosen)
