"""What a label cell means: a name, a list of names, or one of the structures in which tools write labels."""

from __future__ import annotations

import ast
import csv
import json
import math
import re
import warnings
from collections.abc import Mapping, Sequence

from backend.label_studio.labels import PATH_SEPARATOR

MISSING = re.compile(r"[-+]?nan|nat|null|n/a|<na>|\[\]|\{\}|#n/a|#(null|ref|div/0|value|num)!|#name\?", re.IGNORECASE)
KEYS = ("choices", "taxonomy", "labels", "label", "choice", "name", "value", "title", "class", "category", "rating")
SPAN = ("start", "end", "startOffset", "x")  # a part of the text or image has this label, not the text
WHOLE = re.compile(r"[-+]?\d+\.0+")
STRUCTURAL = re.compile(r"[\[\]{}]")
BARE_LIST = re.compile(r"\[([^\[\]{}:]*)\]|\{([^\[\]{}:]*)\}", re.DOTALL)
ADJACENT = re.compile(r"""(['"])\s+(['"])""")  # how numpy writes lists
DEEPEST = 6


class UnreadableLabel(ValueError):
    """A cell holds a structure in which no label's name can be told."""


def is_missing(text: str) -> bool:
    """Whether a cell says that there is nothing: pandas, Excel and databases write it in their ways."""
    return not text or MISSING.fullmatch(text.strip()) is not None


def labels_of(cell: object) -> tuple[str, ...]:
    """The names in a label cell, each once; () where it is empty.

    Raises UnreadableLabel where it holds something else than names: no label ever is called by a piece of JSON.
    """
    names = dict.fromkeys(_names(cell, DEEPEST))
    for name in names:
        if STRUCTURAL.search(name):
            raise UnreadableLabel(str(cell)[:80])
    return tuple(names)


def _names(cell: object, depth: int) -> list[str]:
    if not depth:
        raise UnreadableLabel(str(cell)[:80])
    if isinstance(cell, str):
        return _of_text(" ".join(cell.split()), depth)
    if isinstance(cell, Mapping):
        return _of_object(cell, depth)
    if isinstance(cell, Sequence | set | frozenset):
        items = sorted(cell, key=str) if isinstance(cell, set | frozenset) else cell
        return [name for item in items for name in (_path(item) or _names(item, depth - 1))]
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return []
    return _names(str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell), depth)


def _of_text(text: str, depth: int) -> list[str]:
    if is_missing(text):
        return []
    if WHOLE.fullmatch(text):
        return [text.partition(".")[0]]
    if text[0] not in '[{("':
        return [text]
    value = _parsed(text)
    if value is not None:
        return _names(value, depth - 1)
    bare = BARE_LIST.fullmatch(text)
    if bare:  # as YAML and PostgreSQL write lists
        inside = next(csv.reader([bare[1] or bare[2] or ""], skipinitialspace=True), [])
        return [name for item in inside for name in _names(item.strip(" '"), depth - 1)]
    return [text]


def _parsed(text: str) -> object:
    """The structure that JSON or Python reads in a text; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings(action="ignore"):
            value = ast.literal_eval(ADJACENT.sub(r"\1, \2", text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, list | tuple | dict | set | str) else None


def _of_object(cell: Mapping[object, object], depth: int) -> list[str]:
    key = next((key for key in KEYS if key in cell), None)
    if not cell:
        return []
    if key is None or any(name in cell for name in SPAN):
        raise UnreadableLabel(str(dict(cell))[:80])
    return _names(cell[key], depth - 1)


def _path(item: object) -> list[str]:
    """A list within a list is the way to one label of a tree, whose name is the whole way; [] if it is something else.
    Raises UnreadableLabel for lists of other things than texts, such as [start, end, label]."""
    if not isinstance(item, list | tuple) or not item:
        return []
    if not all(isinstance(part, str) for part in item):
        raise UnreadableLabel(str(item)[:80])
    parts = [name for part in item for name in _of_text(" ".join(part.split()), 1)]
    return [PATH_SEPARATOR.join(parts)] if parts else []
