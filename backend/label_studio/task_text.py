"""The text of a task: all that its label config shows, as one plain text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backend.label_studio.control import Control
from backend.label_studio.plain_text import storable, strip_tags
from backend.label_studio.sources import VARIABLE, Source

LONGEST_TEXT = 50_000  # characters of a task that are read; models read far less
LONGEST_MARKUP = 20 * LONGEST_TEXT  # characters of HTML in which they are looked for: styles and pictures come first


def task_text(control: Control, data: Mapping[str, Any]) -> str:
    """The plain text that the annotator of this control reads, LONGEST_TEXT characters of it; "" when there is none.

    One text stands alone; several follow each other in the order of the screen, each after its name.
    """
    texts = [(source.title, text) for source in control.sources if (text := _text(source, data))]
    if len(control.sources) == 1:
        return texts[0][1] if texts else ""
    return "\n\n".join(f"{title}: {text}" if title else text for title, text in texts)[:LONGEST_TEXT].strip()


def task_query(control: Control, data: Mapping[str, Any]) -> str:
    """What this task shares with the others of its query, where GROUP names a field that is no text of the pair; ""
    where its data do not have it."""
    field = control.pair.group if control.pair is not None else ""
    return storable(_plain(_value(data, field)))[:LONGEST_TEXT].strip() if field else ""


def _text(source: Source, data: Mapping[str, Any]) -> str:
    value = _shown(source, data)
    if source.kind in ("paragraphs", "chat"):
        return storable(_dialogue(value, source)[:LONGEST_TEXT])
    if source.kind in ("table", "list"):
        return storable("\n".join(_rows(value, source))[:LONGEST_TEXT]).strip()
    text = _plain(value)
    text = strip_tags(text[:LONGEST_MARKUP]) if source.kind == "hypertext" else text
    return storable(text[:LONGEST_TEXT]).strip()


def _plain(value: Any) -> str:
    """What the editor shows of a value where a text should be; "" for an object, which Label Studio does not import."""
    if isinstance(value, list):
        return ",".join(map(_plain, value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _shown(source: Source, data: Mapping[str, Any]) -> Any:
    """What the editor puts in place of the template: a value as it is, or words with values among them."""
    if source.field and (source.field in data or VARIABLE.fullmatch(source.template)):
        return _value(data, source.field)
    parts = {field: _plain(_value(data, field)) for field in VARIABLE.findall(source.template)}
    if not any(part.strip() for part in parts.values()):
        return ""
    return VARIABLE.sub(lambda match: parts[match[1]], source.template)


def _value(data: Mapping[str, Any], field: str) -> Any:
    """`field`, or the way through nested objects and lists: `a.b`, `items[0].text`."""
    if field in data:
        return data[field]
    value: Any = data
    for part in field.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _dialogue(value: Any, source: Source) -> str:
    if isinstance(value, str):
        return value.strip()
    turns = value if isinstance(value, list) else []
    return "\n".join(line for turn in turns if (line := _turn(turn, source)))


def _turn(turn: Any, source: Source) -> str:
    if not isinstance(turn, Mapping):
        return turn.strip() if isinstance(turn, str) else ""
    text, author = _said(turn.get(source.turn_key)), _plain(turn.get(source.author_key)).strip()
    return f"{author}: {text}" if author and text else text


def _said(value: Any) -> str:
    """The text of a turn; of parts, as chats with pictures have them, those that are text."""
    if isinstance(value, list):
        texts = (part.get("text") if isinstance(part, Mapping) else part for part in value)
        return "\n".join(text for one in texts if (text := _plain(one).strip()))
    return _plain(value).strip()


def _rows(value: Any, source: Source) -> Iterator[str]:
    """Lines of a table or list: the cells of a row, or a name and its value."""
    if isinstance(value, Mapping):
        yield from (f"{name}: {_cell(value[name])}" for name in sorted(value, key=lambda name: str(name).lower()))
    elif isinstance(value, list):
        yield from (line for row in value if (line := _row(row, source)))
    else:
        yield _plain(value)


def _row(row: Any, source: Source) -> str:
    if not isinstance(row, Mapping):
        return _cell(row)
    if source.kind == "list":  # an item of a list shows these, and nothing else
        shown = [_cell(row.get("title")), _cell(row.get("body")), strip_tags(_cell(row.get("html")))]
        return ": ".join(part for part in shown if part)
    return ", ".join(f"{name}: {cell}" for name, one in row.items() if (cell := _cell(one)))


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    return "" if value is None else json.dumps(value, ensure_ascii=False)
