"""Answers where several labels may be right at once: what is certain, and what is possible besides.

As in `answers`, nothing is guessed: a name that is no label is dropped, and what has neither list is no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from model.labels import LabelSpace
from model.teacher.base import State
from model.teacher.prompting.answers import (
    Parsed,
    content,
    parse,
    parse_value,
)
from model.teacher.prompting.label_names import Names
from model.teacher.prompting.prompts import Strategy

KEYS = ("certain", "possible")
LINE = re.compile(r"^[\s*_#>-]*(certain|possible)[\s*_\"]*:[\s*_]*(.*)$", re.IGNORECASE | re.MULTILINE)


def render_interval(certain: Iterable[str], possible: Iterable[str] = ()) -> str:
    """The form of answer that is asked for; `parse_interval` is its inverse."""
    return json.dumps({"certain": list(certain), "possible": list(possible)}, ensure_ascii=False)


def render_intervals(answers: Iterable[Iterable[str]]) -> str:
    """The form of answer to several texts, numbered from 1, all labels certain."""
    rows = [{"text": number, "certain": list(labels), "possible": []} for number, labels in enumerate(answers, 1)]
    return json.dumps({"answers": rows}, ensure_ascii=False)


def parse_interval(
    raw: str | bytes, space: LabelSpace, strategy: Strategy = Strategy.ALL, truncated: bool = False
) -> Parsed:
    """What the teacher meant. Never raises; labels are known, each once, and those that are certain come first.

    Both lists empty is an answer (no label applies) unless the label space wants one, then it is an abstention. A
    `truncated` answer counts only where its JSON is whole.
    """
    said = content(raw, truncated)
    if said is None or said.broken:
        return Parsed(State.UNPARSED, reason="the JSON is broken or cut off")
    if said.values:
        found = [interval_of(value, space, strategy) for value in said.values]
        answered = [one for one in found if one.state is State.ANSWERED]
        if len({(one.certain, one.labels) for one in answered}) > 1:
            return Parsed(State.UNPARSED, reason="several answers that contradict each other")
        return answered[0] if answered else found[0]
    lines = _lines(said.answer, space)
    return lines if lines is not None else _as_interval(parse(said.text, space), space, strategy)


def interval_of(value: Any, space: LabelSpace, strategy: Strategy) -> Parsed:
    """As `parse_interval`, for a JSON value that was already read; a list without keys is read as possible."""
    if not isinstance(value, dict) or not any(key in value for key in KEYS):
        return _as_interval(parse_value(value, space, Strategy.ALL), space, strategy)
    parts = [parse_value({"candidates": value.get(key)}, space, Strategy.ALL) for key in KEYS]
    unread = [part for part in parts if part.state is State.UNPARSED and not part.unknown]
    if unread:
        return unread[0]
    return _joined(parts[0].labels, parts[1].labels, space, tuple(name for part in parts for name in part.unknown))


def _joined(certain: tuple[str, ...], possible: tuple[str, ...], space: LabelSpace, unknown: tuple[str, ...]) -> Parsed:
    """One answer of both lists. A label in both is certain."""
    labels = tuple(dict.fromkeys((*certain, *possible)))
    reason = f"unknown labels dropped: {', '.join(unknown)[:200]}" if unknown else ""
    if not labels and unknown:
        return Parsed(State.UNPARSED, unknown=unknown, reason=f"unknown labels: {', '.join(unknown)[:200]}")
    if not labels and space.least:
        return Parsed(State.ABSTAINED, reason="the teacher found no label fitting")
    if len(labels) == len(space) and not certain:
        reason = "all labels: says nothing"
    return Parsed(State.ANSWERED, labels, 0, unknown, reason, certain)


def _as_interval(found: Parsed, space: LabelSpace, strategy: Strategy) -> Parsed:
    """Labels without a word of which are certain: all where only these were asked for, the first where it was asked for
    before what is possible, else none."""
    if found.state is not State.ANSWERED:
        return found
    known = {Strategy.SINGLE: len(found.labels), Strategy.UNSURE: 1, Strategy.ALL: 0}[strategy]
    return _joined(found.labels[:known], found.labels[known:], space, found.unknown)


def _lines(text: str, space: LabelSpace) -> Parsed | None:
    """Lines that begin with "certain:" or "possible:"; None without any, or where one names something else."""
    names = Names.of(space)
    found: dict[str, tuple[str, ...]] = dict.fromkeys(KEYS, ())
    matches = list(LINE.finditer(text))
    for match in matches:
        said = match[2].strip()
        listed = names.listed(said)
        if said and not listed and not re.fullmatch(r"\W*(none|nothing|no labels?|-)?\W*", said, re.IGNORECASE):
            return None
        found[match[1].lower()] += listed
    return _joined(found["certain"], found["possible"], space, ()) if matches else None
