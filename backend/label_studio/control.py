"""The one control tag that Shortlist fills in, and the object tag whose text it reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from model.labels import LabelSpace

ObjectKind = Literal["Text", "HyperText", "Paragraphs"]
ControlKind = Literal["Choices", "Taxonomy"]


@dataclass(frozen=True)
class Control:
    """A control tag with its labels, as read from a label config.

    `field` is the key of the task's data that holds the text. `candidates_area` is the read-only text area of label
    config B. `paths` leads from a label of a Taxonomy to its path of node names; it is empty for Choices. `notes` say
    what the reader passed over, one sentence each.
    """

    space: LabelSpace
    name: str
    kind: ControlKind
    to_name: str
    field: str
    multiple: bool
    candidates_area: str | None = None
    paths: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    object_kind: ObjectKind = "Text"
    turn_key: str = "text"  # Paragraphs: the key of a turn's text
    author_key: str = "author"  # Paragraphs: the key of a turn's author
    notes: tuple[str, ...] = ()

    @property
    def value_key(self) -> str:
        """The key of a region's value, which is also the region's type: `choices` or `taxonomy`."""
        return self.kind.lower()

    @cached_property
    def _names(self) -> Mapping[tuple[str, ...], str]:
        return {path: name for name, path in self.paths.items()}

    def wire_value(self, labels: tuple[str, ...]) -> dict[str, Any]:
        """A region's value that ticks these labels."""
        if self.kind == "Taxonomy":
            return {"taxonomy": [list(self.paths[label]) for label in labels]}
        return {"choices": list(labels)}

    def label_of(self, chosen: object) -> str | None:
        """The label that one element of a region's value stands for; None if there is no such label.

        Choices are strings, or paths of one string where the config allows nesting; Taxonomy has paths.
        """
        if isinstance(chosen, list):
            path = tuple(chosen)
            if not path or not all(isinstance(part, str) for part in path):
                return None
            if self.kind == "Taxonomy":
                return self._names.get(path)
            chosen = path[0] if len(path) == 1 else None
        if self.kind == "Taxonomy" or not isinstance(chosen, str):
            return None
        return chosen if chosen in self.space else None
