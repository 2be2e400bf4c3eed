"""From what a teacher wrote to labels, trusting nothing. An answer that is not certain is no answer.

Order of attempts: JSON; lines that are labels; labels named in running text. There is no guessing by similarity.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from model.labels import LabelSpace
from model.teacher.base import State
from model.teacher.prompting.label_names import Names
from model.teacher.prompting.prompts import Strategy

LONGEST_ANSWER = 20_000  # characters that are read
MOST_VALUES = 20  # JSON values that are tried in one answer
KEYS = ("candidates", "labels", "label", "answers", "answer", "categories", "category", "choices", "choice")
REFUSAL = re.compile(
    r"\b(none of (these|the|them|those)|no (suitable |fitting |matching )?labels? (fits?|appl(y|ies)|match(es)?)"
    r"|i (can ?not|can['’]?t|am unable to|won['’]?t)|i['’]m (sorry|unable))",
    re.IGNORECASE,
)
THOUGHTS = re.compile(r"^\s*<think>.*?(</think>|$)", re.DOTALL)  # what some open models write before the answer


@dataclass(frozen=True, slots=True)
class Parsed:
    """Known labels in the order of first mention, or a state that says why there are none.

    `overflow` counts labels dropped under `single`, `unknown` names what is no label.
    """

    state: State
    labels: tuple[str, ...] = ()
    overflow: int = 0
    unknown: tuple[str, ...] = ()
    reason: str = ""


def render(labels: Iterable[str]) -> str:
    """The form of answer that is asked for; `parse` is its inverse."""
    return json.dumps({"candidates": list(labels)}, ensure_ascii=False)


def render_together(answers: Iterable[Iterable[str]]) -> str:
    """The form of answer to several texts, numbered from 1."""
    rows = [{"text": number, "candidates": list(labels)} for number, labels in enumerate(answers, 1)]
    return json.dumps({"answers": rows}, ensure_ascii=False)


def parse(raw: str | bytes, space: LabelSpace, strategy: Strategy = Strategy.ALL) -> Parsed:
    """What the teacher meant. Never raises; never returns a label that is not in the space, nor one twice."""
    text = (raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw)[:LONGEST_ANSWER]
    names = Names.of(space)
    if text.strip() in names.exact:
        return Parsed(State.ANSWERED, (names.exact[text.strip()],))
    text = THOUGHTS.sub("", text)
    values, broken = json_values(text)
    if values:
        return _finish(_from_values(values, names), strategy)
    if broken:
        return Parsed(State.UNPARSED, reason="the JSON is broken or cut off")
    return _finish(_from_text(text, names), strategy)


def parse_cut_off(raw: str, space: LabelSpace, strategy: Strategy, most: int) -> Parsed | None:
    """What an answer says that was cut off in the middle of its list of labels, where that is certain: one label was
    asked for, `most` are there, or the model began to repeat itself. None otherwise.
    """
    start = re.match(r'\s*(\{\s*"\w+"\s*:\s*)?\[(?=\s*")', raw)
    if start is None:
        return None
    names, listed = Names.of(space), re.findall(r'"((?:[^"\\]|\\.)*)"', raw[start.end() : LONGEST_ANSWER])
    found = _from_value([_load(f'"{item}"') or item for item in listed], names)
    repeats = len(set(listed)) < len(listed)
    enough = 1 if strategy is Strategy.SINGLE else most
    if found.state is not State.ANSWERED or found.unknown or not (repeats or len(found.labels) >= enough):
        return None
    return _finish(Parsed(State.ANSWERED, found.labels[:enough], reason="cut off after its labels"), strategy)


def parse_value(value: Any, space: LabelSpace, strategy: Strategy) -> Parsed:
    """As `parse`, for a JSON value that was already read."""
    return _finish(_from_values([value], Names.of(space)), strategy)


def json_values(text: str) -> tuple[list[Any], bool]:
    """Objects, lists and whole-text strings in an answer, and whether there is JSON that cannot be read."""
    stripped = re.sub(r"^```\w*\s*|\s*```$", "", text.strip())
    whole = _load(stripped)
    if isinstance(whole, dict | list | str):
        return [whole], False
    values: list[Any] = []
    decoder, place, broken = json.JSONDecoder(), 0, False
    for _ in range(MOST_VALUES):
        start = re.compile(r"[{\[]").search(stripped, place)
        if start is None:
            break
        place = start.start() + 1
        try:
            value, place = decoder.raw_decode(stripped, start.start())
            values.append(value)
        except (ValueError, RecursionError):
            broken = broken or stripped.startswith(("{", "["))
    return values, broken and not values


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _finish(found: Parsed, strategy: Strategy) -> Parsed:
    if found.state is not State.ANSWERED or strategy is not Strategy.SINGLE or len(found.labels) == 1:
        return found
    more = len(found.labels) - 1
    return Parsed(State.ANSWERED, found.labels[:1], more, found.unknown, f"{more} labels more than asked")


def _from_values(values: Sequence[Any], names: Names) -> Parsed:
    """Several values must agree."""
    found = [_from_value(value, names) for value in values]
    answered = [one for one in found if one.state is State.ANSWERED]
    if len({one.labels for one in answered}) > 1:
        return Parsed(State.UNPARSED, reason="several answers that contradict each other")
    if answered:
        return answered[0]
    return next((one for one in found if one.unknown), found[0])


def _from_value(value: Any, names: Names) -> Parsed:
    items = _items(value, names)
    if items is None:
        return Parsed(State.UNPARSED, reason="JSON without a list of labels")
    labels: dict[str, None] = {}
    unknown: list[str] = []
    for item in items:
        known = names.listed(item)
        labels.update(dict.fromkeys(known))
        if not known:
            unknown.append(item[:80])
    if labels:
        reason = f"unknown labels dropped: {', '.join(unknown)}" if unknown else ""
        return Parsed(State.ANSWERED, tuple(labels), 0, tuple(unknown), reason)
    if unknown and not all(REFUSAL.search(item) for item in unknown):
        return Parsed(State.UNPARSED, unknown=tuple(unknown), reason=f"unknown labels: {', '.join(unknown)[:200]}")
    return Parsed(State.ABSTAINED, reason="the teacher found no label fitting")


def _items(value: Any, names: Names) -> list[str] | None:
    """The strings of an answer's list of labels; None if there is no such list."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        key = next((key for key in KEYS if key in value), None)
        if key is not None:
            return _items(value[key], names) if value[key] is not None else []
        if value and all(isinstance(weight, bool | int | float) for weight in value.values()):
            return sorted((name for name in value if value[name] > 0), key=lambda name: -min(value[name], 1e300))
        return None
    if isinstance(value, list):
        parts = [_items(part, names) if isinstance(part, str | dict) else None for part in value]
        return None if any(part is None for part in parts) else [item for part in parts for item in part or []]
    return None


def _from_text(text: str, names: Names) -> Parsed:
    lines = [line for line in text.splitlines() if line.strip()]
    listed = [names.listed(line) for line in lines]
    if lines and all(listed):
        return Parsed(State.ANSWERED, tuple(dict.fromkeys(name for line in listed for name in line)))
    refused = REFUSAL.search(text)
    mentioned = names.mentioned(REFUSAL.sub(" ", text))
    if mentioned and not refused:
        return Parsed(State.ANSWERED, mentioned, reason="read from running text")
    if refused:
        return Parsed(State.ABSTAINED, reason="the teacher declined")
    return Parsed(State.UNPARSED, reason="no label in the answer" if lines else "the answer is empty")
