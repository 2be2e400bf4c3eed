"""What is remembered about samples between two starts: which project holds which file, and the file's labels."""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.commands.start.data_dir import write_private
from backend.commands.start.sample.file import SampleFile

ROW = "row"  # field of a task that says which line of the file it comes from


@dataclass(frozen=True)
class SampleState:
    """The project of one sample; `complete` once all of its tasks were imported, so that deleted ones stay deleted."""

    project: int
    complete: bool


def recall(folder: Path, key: str) -> SampleState | None:
    """What is known about a sample; None if it was never imported from this data folder."""
    try:
        return SampleState(**json.loads((folder / f"{key}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remember(folder: Path, key: str, state: SampleState) -> None:
    """Keep the state for the next start."""
    folder.mkdir(parents=True, exist_ok=True)
    write_private(folder / f"{key}.json", json.dumps(asdict(state)))


def keep_labels(sample: SampleFile, folder: Path, project: int) -> Path | None:
    """Write the file's labels, by line, where reports find them; None if the file has none.

    They serve to compare with only: no teacher and no student reads this file.
    """
    rows = [row for row in sample.rows if row.labels]
    if not rows:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"project-{project}-labels.jsonl.gz"
    temporary = path.with_suffix(".tmp")
    with gzip.open(temporary, "wt", encoding="utf-8") as file:
        for row in rows:
            found = {"label": row.label} if row.label else {"labels": row.narrowed}
            file.write(json.dumps({ROW: row.line, **found}, ensure_ascii=False) + "\n")
    temporary.replace(path)
    return path
