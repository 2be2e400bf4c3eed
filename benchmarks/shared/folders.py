"""Which sets of a data folder a benchmark can measure; where there are none, one sentence says what is missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from benchmarks.shared.datasets import read_rows

PARTS = ("train", "test")


def plain(parts: Sequence[str] = PARTS) -> str:
    """What a set of texts with one label each looks like."""
    files = " and ".join(f"{part}.jsonl.gz" for part in parts)
    return f"a folder <set>/ with labels.json (a flat list) and {files} of rows with text and label"


def has_plain_labels(folder: Path, parts: Sequence[str] = PARTS) -> bool:
    """Whether a set has these parts, and their rows are a text with one label out of a flat list."""
    if not (folder / "labels.json").is_file():
        return False
    names = json.loads((folder / "labels.json").read_text())
    if not isinstance(names.get("labels") if isinstance(names, Mapping) else names, list):
        return False
    files = [folder / f"{part}.jsonl.gz" for part in parts]
    firsts = [next(read_rows(path), {}) if path.is_file() else {} for path in files]
    return all(isinstance(row.get("text"), str) and isinstance(row.get("label"), str) for row in firsts)


def plain_sets(data: Path, usual: Sequence[str] = (), parts: Sequence[str] = PARTS) -> list[str]:
    """Sets of texts with one label each, by name; only the usual ones of a benchmark where the folder has any.

    SystemExit says what is missing where it has none.
    """
    must_exist(data)
    found = [folder.name for folder in sorted(data.iterdir()) if has_plain_labels(folder, parts)]
    if not found:
        nothing(data, plain(parts))
    return [name for name in usual if name in found] or found


def must_exist(data: Path) -> None:
    """SystemExit where there is no such folder."""
    if not data.is_dir():
        sys.exit(f"--data {data}: there is no such folder")


def nothing(data: Path, missing: str) -> NoReturn:
    """End with code 1 and one sentence."""
    sys.exit(f"--data {data}: there is nothing to measure; what is missing is {missing}")
