"""From what a teacher wrote about several questions to one set of labels. Each question is read as if it were alone.

A key that is missing says nothing of its question; what is named for a question that is not asked is dropped.
"""

from __future__ import annotations

import re
from typing import Any

from model.group_answers import joined
from model.groups import Group
from model.labels import CandidateSet, LabelSpace
from model.teacher.base import State
from model.teacher.prompting.answers import Parsed, content, parse_value
from model.teacher.prompting.intervals import interval_of
from model.teacher.prompting.prompts import Strategy
from model.teacher.prompting.question_forms import keys

NOTHING = CandidateSet((), (), ())
MISSING = Parsed(State.UNPARSED, reason="no answer")


def parse_questions(
    raw: str | bytes, space: LabelSpace, strategy: Strategy = Strategy.ALL, truncated: bool = False
) -> Parsed:
    """What the teacher meant, all questions in one. Never raises; labels are known, each once, certain ones first.

    A `truncated` answer counts only where its JSON is whole.
    """
    said = content(raw, truncated)
    if said is None:
        return Parsed(State.UNPARSED, reason="the JSON is broken or cut off")
    found = [value for value in said.values if isinstance(value, dict) and _by_key(value, space)]
    if len(found) > 1 and any(value != found[0] for value in found):
        return Parsed(State.UNPARSED, reason="several answers that contradict each other")
    if found:
        return questions_of(found[0], space, strategy)
    if said.broken or said.values:
        return Parsed(State.UNPARSED, reason="JSON without a key for any question")
    return questions_of(_lines(said.answer, space), space, strategy)


def questions_of(value: Any, space: LabelSpace, strategy: Strategy) -> Parsed:
    """As `parse_questions`, for a JSON value that was already read."""
    said = _by_key(value, space) if isinstance(value, dict) else {}
    read = [
        _read(group, part, said[place], strategy) if place in said else MISSING
        for place, (group, part) in enumerate(zip(space.groups, space.parts, strict=True))
    ]
    known = [CandidateSet(one.labels, (), one.certain) if one.state is State.ANSWERED else None for one in read]
    dropped = _drop_unasked(space, known)
    found = joined(space, known)
    reason = "; ".join(
        f"{group.name}: {one.reason}"
        for place, (group, one) in enumerate(zip(space.groups, read, strict=True))
        if one.reason and place not in dropped
    )[:300]
    unknown = tuple(name for one in read for name in one.unknown)
    if found is not None and any(part is not None and part is not NOTHING for part in known):
        return Parsed(State.ANSWERED, found.labels, 0, unknown, reason, found.certain)
    silent = bool(said) and all(read[place].state is State.ABSTAINED for place in said)
    state = State.ABSTAINED if silent else State.UNPARSED
    return Parsed(state, unknown=unknown, reason="the teacher found no label fitting" if silent else reason)


def _read(group: Group, part: LabelSpace, value: Any, strategy: Strategy) -> Parsed:
    if value is None:
        return MISSING
    if group.kind == "any":
        return interval_of(value, part, strategy)
    return parse_value(value if isinstance(value, dict | list) else [value], part, strategy)


def _drop_unasked(space: LabelSpace, known: list[CandidateSet | None]) -> set[int]:
    """Take out what is said of questions that are not asked beside what else is possible; which they are."""
    dropped: set[int] = set()
    for place, group in enumerate(space.groups):
        if not group.when:
            continue
        before = joined(space, [*known[:place], *[None] * (len(known) - place)])
        possible, certain = (set(before.labels), set(before.certain or ())) if before is not None else (set(), set())
        if not all(one.holds(possible if one.chosen else certain) for one in group.when):
            known[place] = NOTHING if group.kind == "any" else None
            dropped.add(place)
    return dropped


def _by_key(value: dict[str, Any], space: LabelSpace) -> dict[int, Any]:
    """What an object says of each question, by place: keys are compared without regard to case."""
    loose = {str(key).strip().casefold(): one for key, one in value.items()}
    found: dict[int, Any] = {}
    for place, (key, group) in enumerate(zip(keys(space), space.groups, strict=True)):
        for name in (key, group.name):
            if name in value:
                found.setdefault(place, value[name])
        for name in (key, group.name):
            if name.casefold() in loose:
                found.setdefault(place, loose[name.casefold()])
    return found


def _lines(text: str, space: LabelSpace) -> dict[str, Any]:
    """Lines that begin with a question's key and a colon."""
    found = {}
    for key, group in zip(keys(space), space.groups, strict=True):
        names = "|".join(re.escape(name) for name in dict.fromkeys((key, group.name)))
        line = re.search(rf"^[\s*_#>\"-]*(?:{names})[\s*_\"]*:[\s*_]*(.+)$", text, re.IGNORECASE | re.MULTILINE)
        if line:
            found[key] = line[1].strip()
    return found
