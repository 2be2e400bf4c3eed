"""The files of a set: what kind it is, and the rows of its parts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any


def kind(folder: Path) -> str:
    """What its rows ask."""
    found: str = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["kind"]
    return found


def labels(folder: Path) -> Any:
    """Names in a list, or lists of them by question or branch."""
    return json.loads((folder / "labels.json").read_text(encoding="utf-8"))


def parts(folder: Path) -> list[list[dict[str, Any]]]:
    """The rows of the train and of the test part, in the files' order."""
    found = []
    for part in ("train", "test"):
        with gzip.open(folder / f"{part}.jsonl.gz", "rt", encoding="utf-8") as file:
            found.append([json.loads(line) for line in file])
    return found
