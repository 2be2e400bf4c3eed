"""Existing classifiers that may sit in a committee: a data file, nothing in it is ever executed.

`catalogue.json` beside this file lists public models as their cards describe them. What stands here about labels is
only a proposal: a classifier is loaded, and its own labels compared, before anybody can confirm it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from model.errors import ArtifactError
from model.labels import readable

UNKNOWN = "unknown"
OWN = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True)
class Classifier:
    """One entry. `place` is a hub name or a folder, `labels` maps each of its labels to what it means (or "").

    `licence` is what its card states, UNKNOWN where it states none.
    """

    place: str
    task: str
    labels: dict[str, str]
    languages: tuple[str, ...] = ()
    licence: str = UNKNOWN

    def meaning(self, label: str) -> str:
        """What a label of the classifier means, as words."""
        return self.labels[label] or readable(label)


def read_catalogue(path: Path | None = None) -> tuple[Classifier, ...]:
    """The entries of a catalogue file; ArtifactError names the file and the entry that cannot be used."""
    path = path or OWN
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: no catalogue of classifiers can be read ({error})") from error
    if not isinstance(rows, list):
        raise ArtifactError(f"{path}: a catalogue is a JSON list of classifiers")
    found = tuple(_entry(path, number, row) for number, row in enumerate(rows, 1))
    places = [one.place for one in found]
    doubled = sorted({place for place in places if places.count(place) > 1})
    if doubled:
        raise ArtifactError(f"{path}: listed more than once: {', '.join(doubled)}")
    return found


@cache
def licences() -> dict[str, str]:
    """The licence of every classifier of our own catalogue, by its place."""
    return {one.place: one.licence for one in read_catalogue()}


def _entry(path: Path, number: int, row: Any) -> Classifier:
    try:
        labels = {str(label): str(meaning) for label, meaning in row["labels"].items()}
        languages = tuple(str(language) for language in row.get("languages", []))
        entry = Classifier(str(row["place"]), str(row["task"]), labels, languages, str(row.get("licence") or UNKNOWN))
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f'{path}: entry {number} is no classifier; {{"place": …, "task": …, "labels": {{"its label": "what it '
            f'means"}}}} is expected ({error!r})'
        ) from error
    if not entry.place.strip() or len(labels) < 2:
        raise ArtifactError(f"{path}: entry {number} needs a place and at least two labels")
    return entry
