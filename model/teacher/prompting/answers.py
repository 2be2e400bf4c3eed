"""From what a teacher wrote to labels, trusting nothing. An answer that is not certain is no answer.

Order of attempts: JSON; lines that are labels; what follows "the answer is"; labels named in one line of running text.
What a model thought before it answered counts for nothing. There is no guessing by similarity.
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
from model.teacher.prompting.thoughts import last, unwrapped, without_thoughts

LONGEST_ANSWER = 20_000  # characters that are read
MOST_VALUES = 20  # JSON values that are tried in one answer
KEYS = ("candidates", "labels", "label", "answers", "answer", "categories", "category", "choices", "choice")
REFUSAL = re.compile(
    r"\b(none of (these|the|them|those)|no (suitable |fitting |matching )?labels? (fits?|appl(y|ies)|match(es)?)"
    r"|i (can ?not|can['’]?t|am unable to|won['’]?t)|i['’]m (sorry|unable))",
    re.IGNORECASE,
)
ANSWER = re.compile(  # what follows the last of these is the answer
    r"\b(?:(?:answer|label|category|classification|classified|class|choice|verdict|rating|result|conclusion|candidate)s?"
    r"(?:\s+(?:is|are|as|(?:would|should|must|will) be))?[\s*_\"]*(?::|=|→|(?<=\bis)|(?<=\bare)|(?<=\bas)|(?<=\bbe))"
    r"|(?:antwort|kategorie|réponse|respuesta|resposta|risposta|antwoord|ответ)\s*(?:ist|est|es|é|è|is)?\s*:"
    r"|(?:答案|回答|答え|标签|类别)(?:是|为|は)?\s*[:：]?)[\s*_]*",
    re.IGNORECASE,
)
ENDS = re.compile(r"\n|(?<=[.!?。])(?:\s|$)")  # the end of a line or sentence
ALOUD = re.compile(  # how a model speaks to itself
    r"\b(hm+|wait|let me|let['’]s|let us|okay|ok,? so|i need to|i should|i have to|we need to|we have to|the user"
    r"|first(ly)?,|on the other hand|alternatively|step by step|could be|might be|consider(ing)?|thinking)\b|\?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Known labels in the order of first mention, or a state that says why there are none.

    `overflow` counts labels dropped under `single`, `unknown` names what is no label. `certain` are the first of the
    labels, where several may be right at once; None where one is.
    """

    state: State
    labels: tuple[str, ...] = ()
    overflow: int = 0
    unknown: tuple[str, ...] = ()
    reason: str = ""
    certain: tuple[str, ...] | None = None


def render(labels: Iterable[str]) -> str:
    """The form of answer that is asked for; `parse` is its inverse."""
    return json.dumps({"candidates": list(labels)}, ensure_ascii=False)


def render_together(answers: Iterable[Iterable[str]]) -> str:
    """The form of answer to several texts, numbered from 1."""
    rows = [{"text": number, "candidates": list(labels)} for number, labels in enumerate(answers, 1)]
    return json.dumps({"answers": rows}, ensure_ascii=False)


def parse(raw: str | bytes, space: LabelSpace, strategy: Strategy = Strategy.ALL) -> Parsed:
    """What the teacher meant. Never raises; never returns a label that is not in the space, nor one twice."""
    text = _read(raw)
    names = Names.of(space)
    if text.strip() in names.exact:
        return Parsed(State.ANSWERED, (names.exact[text.strip()],))
    values, broken = json_values(text)
    if values:
        return _finish(_from_values(values, names), strategy)
    if broken:
        return Parsed(State.UNPARSED, reason="the JSON is broken or cut off")
    answer = without_thoughts(text)
    if text.strip() and not answer.strip():
        return Parsed(State.UNPARSED, reason="there are thoughts, but no answer")
    return _finish(_from_text(unwrapped(answer), names), strategy)


def parse_truncated(raw: str, space: LabelSpace, strategy: Strategy, most: int) -> Parsed:
    """As `parse`, for an answer that was cut off: JSON at its beginning counts, or what is certain of it. Never prose,
    which may have been thoughts."""
    answer = answer_part(raw)
    if answer.startswith(("{", "[")):
        values, _ = json_values(first_value(answer))
        if values:
            return _finish(_from_values(values, Names.of(space)), strategy)
        certain = parse_cut_off(answer, space, strategy, most)
        if certain is not None:
            return certain
    return Parsed(State.UNPARSED, reason="the answer was cut off")


@dataclass(frozen=True, slots=True)
class Content:
    """An answer as it can be read: its `text`, the `answer` in it without thoughts, and `values` of JSON; `broken` if
    there is JSON that cannot be read."""

    text: str
    answer: str
    values: list[Any]
    broken: bool


def content(raw: str | bytes, truncated: bool) -> Content | None:
    """What an answer of JSON with keys holds; None if its JSON is cut off, since an object inside of it would be part
    of an answer. A `truncated` one counts only where its first value is whole."""
    text = _read(raw)
    answer = answer_part(text)
    first, begins = first_value(answer), answer.startswith(("{", "["))
    if (begins and not first) or (truncated and not begins):
        return None
    return Content(text, answer, *json_values(first if truncated else text))


def _read(raw: str | bytes) -> str:
    return (raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw)[-LONGEST_ANSWER:]


def answer_part(raw: str) -> str:
    """An answer without thoughts and marks around it."""
    return re.sub(r"^```\w*\s*|\s*```$", "", unwrapped(without_thoughts(raw)).strip())


def first_value(text: str) -> str:
    """The JSON value at the beginning of a text; "" if it does not end."""
    try:
        return text[: json.JSONDecoder().raw_decode(text)[1]]
    except (ValueError, RecursionError):
        return ""


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
    whole = _load(text.strip())
    if isinstance(whole, dict | list | str):
        return [whole], False
    stripped = answer_part(text)
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
    """The strings of an answer's list of labels; None if there is no such list. Labels may be numbers."""
    if isinstance(value, str | int | float):
        return [_spelled(value)]
    if isinstance(value, dict):
        key = next((key for key in KEYS if key in value), None)
        if key is not None:
            return _items(value[key], names) if value[key] is not None else []
        if value and all(isinstance(weight, bool | int | float) for weight in value.values()):
            return sorted((name for name in value if value[name] > 0), key=lambda name: -min(value[name], 1e300))
        return None
    if isinstance(value, list):
        parts = [_items(part, names) if isinstance(part, str | dict | int | float) else None for part in value]
        return None if any(part is None for part in parts) else [item for part in parts for item in part or []]
    return None


def _spelled(value: str | float) -> str:
    """A JSON scalar as a label would be written: 5 and 5.0 are "5", true is "true"."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value) if not isinstance(value, int) or abs(value) < 10**15 else "a large number"


def _from_text(text: str, names: Names) -> Parsed:
    lines = [line for line in text.splitlines() if line.strip()]
    listed = [names.listed(line) for line in lines]
    if lines and all(listed):
        return Parsed(State.ANSWERED, tuple(dict.fromkeys(name for line in listed for name in line)))
    marked = _after_mark(text)
    if (marked is None or not names.listed(marked)) and REFUSAL.search(text):
        return Parsed(State.ABSTAINED, reason="the teacher declined")
    found = names.listed(marked) or names.mentioned(marked) if marked is not None else _unmarked(lines, listed, names)
    if found:
        return Parsed(State.ANSWERED, found, reason="read from running text")
    reason = "no clear answer in running text" if names.mentioned(text) else "no label in the answer"
    return Parsed(State.UNPARSED, reason=reason if lines else "the answer is empty")


def _unmarked(lines: Sequence[str], listed: Sequence[tuple[str, ...]], names: Names) -> tuple[str, ...]:
    """Labels of an answer without "the answer is": a last line of labels alone, or one line that says what it is."""
    if len(lines) > 1:
        return listed[-1]
    return names.mentioned(lines[0]) if lines and not ALOUD.search(lines[0]) else ()


def _after_mark(text: str) -> str | None:
    """The sentence or line after the last "the answer is"; None without such words, or with nothing after them."""
    mark = last(ANSWER, text)
    if mark is None:
        return None
    rest = text[mark.end() :].lstrip(" \t\r\n*_:")
    return ENDS.split(rest, maxsplit=1)[0].strip() or None
