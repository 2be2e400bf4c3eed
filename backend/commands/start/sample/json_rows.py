"""Records of JSON and of JSON lines: plain objects, or tasks as Label Studio exports them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backend.commands.start.sample.row import BadRow, Record
from backend.errors import SampleError

ANNOTATIONS = "annotations"  # of an exported task; here also the column that holds what people chose
CHOSEN = ("choices", "taxonomy")


def json_lines(text: str) -> Iterator[Record]:
    """One object per line."""
    for line, content in enumerate(io.StringIO(text), start=1):
        if not content.strip():
            continue
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            yield line, BadRow(line, f"not JSON ({error})")
        else:
            yield line, _as_object(line, value)


def json_records(text: str, path: Path) -> Iterator[Record]:
    """A list of objects; the line of one is its number."""
    try:
        values = json.loads(text) if text.strip() else []
    except (ValueError, RecursionError) as error:
        raise SampleError(f"{path} is not JSON: {error}; a file with one object per line is called .jsonl") from None
    if not isinstance(values, list):
        raise SampleError(f"{path} must hold a JSON list of objects, it holds {type(values).__name__}")
    for number, value in enumerate(values, start=1):
        yield number, _as_object(number, value)


def _as_object(line: int, value: object) -> dict[str, Any] | BadRow:
    if not isinstance(value, dict):
        return BadRow(line, f"not an object but {type(value).__name__}")
    data = value.get("data")
    if not isinstance(data, dict):
        return value
    found = value.get(ANNOTATIONS)
    if not isinstance(found, list):
        return data
    return {**data, ANNOTATIONS: [chosen for one in found for chosen in _chosen(one)]}


def _chosen(annotation: object) -> list[Any]:
    """What a person chose in one annotation; [] where it was skipped. Regions in a part of the text are no labels."""
    if not isinstance(annotation, Mapping) or annotation.get("was_cancelled"):
        return []
    result = annotation.get("result")
    values = (
        [region.get("value") for region in result if isinstance(region, Mapping)] if isinstance(result, list) else []
    )
    whole = [value for value in values if isinstance(value, Mapping) and "start" not in value]
    return [{kind: value[kind]} for value in whole for kind in CHOSEN if value.get(kind)]
