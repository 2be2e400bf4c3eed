"""A question: a control tag that people answer about the whole text of a task, and its answers on the wire."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backend.label_studio.visibility import Condition
from model.groups import GroupKind
from model.labels import AnswerKind, Label

KINDS = {"choices": "Choices", "taxonomy": "Taxonomy", "rating": "Rating", "pairwise": "Pairwise", "number": "Number"}
VALUE_KEYS = {
    "Choices": "choices",
    "Taxonomy": "taxonomy",
    "Rating": "rating",
    "Pairwise": "selected",
    "Number": "number",
}
LEVELS = ("Rating", "Number")  # their labels are whole numbers in order
LEAST_LEVELS = 3  # numbered choices that may be levels
NUMBER = re.compile(r"\s*([+−-]?\d{1,3})(?!\d)")  # a minus or a hyphen


@dataclass(frozen=True)
class Question:
    """A control tag with its labels. `kind` is one of KINDS; a label's name is what is written to Label Studio (the
    alias where there is one, a path for a Taxonomy: `paths` leads to its nodes, `ends` to their titles). `multiple`: it
    can show several ticks, and `answer` says what they mean. `reads` are the fields of the task's data that answer it.
    It is asked only where all of `conditions` hold.
    """

    name: str
    kind: str
    to_name: str
    labels: tuple[Label, ...]
    multiple: bool
    answer: AnswerKind = "one"
    least: int = 1  # labels of an answer of several
    paths: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    ends: Mapping[str, str] = dataclasses.field(default_factory=dict)
    reads: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    targets: tuple[str, ...] = ()  # the names of the tags that it is about
    guessed: bool = False  # whether nobody said what several ticks mean
    inferred: bool = False  # several may be right, because another tag of the config takes one label
    off: str = ""  # of a single choice: the label that is written by no tick at all

    @property
    def group_kind(self) -> GroupKind:
        """What its answer is among those to other questions."""
        if self.answer == "several":
            return "any"
        return "ordered" if self.kind in LEVELS or self.answer == "ordered" else "one"

    @property
    def numbered(self) -> bool:
        """Whether it is one of three choices or more that begin with whole numbers which rise, or fall, by one."""
        numbers = [int(found[1].replace("−", "-")) for label in self.labels if (found := NUMBER.match(label.title))]
        steps = {after - before for before, after in itertools.pairwise(numbers)}
        all_of_them = len(numbers) == len(self.labels) >= LEAST_LEVELS
        return self.kind == "Choices" and self.group_kind == "one" and all_of_them and steps in ({1}, {-1})

    @property
    def is_new(self) -> bool:
        """Whether releases before could not read it: a single choice, or a number."""
        return bool(self.off) or self.kind == "Number"

    @cached_property
    def value_key(self) -> str:
        """The key of a region's value."""
        return VALUE_KEYS[self.kind]

    @cached_property
    def wire_type(self) -> str:
        """The type of a region."""
        return self.kind.lower()

    @cached_property
    def names(self) -> frozenset[str]:
        """Its labels."""
        return frozenset(label.name for label in self.labels)

    @cached_property
    def _by_path(self) -> Mapping[tuple[str, ...], str]:
        return {path: name for name, path in self.paths.items()}

    def wire_value(self, labels: tuple[str, ...]) -> dict[str, Any]:
        """A region's value that gives these labels; where the control takes one, the first."""
        if self.kind == "Taxonomy":
            return {"taxonomy": [list(self.paths[label]) for label in labels]}
        if self.kind in LEVELS:
            return {self.value_key: int(labels[0])}
        return {"selected": labels[0]} if self.kind == "Pairwise" else {"choices": list(labels)}

    def given(self, value: object) -> list[object]:
        """What a region's value has chosen, one element per label; [] if it is none of this control.

        Programs other than the editor leave one label, or one path of a Taxonomy, without the list around it.
        """
        chosen = value.get(self.value_key) if isinstance(value, Mapping) else None
        if chosen is None or chosen == "":
            return []
        one = not (self.listed and isinstance(chosen, list)) or (self.kind == "Taxonomy" and self.label_of(chosen))
        return [chosen] if one else list(chosen)

    def label_of(self, chosen: object) -> str | None:
        """The label that one element of a region's value stands for; None if there is no such label.

        Choices are strings, or paths of one string where the config allows nesting; Taxonomy has paths, of which one of
        one string may stand without its list; a rating is a number, or one that is written out.
        """
        if self.kind == "Taxonomy" and isinstance(chosen, str):
            chosen = [chosen]
        if isinstance(chosen, list):
            path = tuple(chosen)
            if not path or not all(isinstance(part, str) for part in path):
                return None
            if self.kind == "Taxonomy":
                return self._by_path.get(path)
            chosen = path[0] if len(path) == 1 and self.kind == "Choices" else None
        if self.kind in LEVELS:
            chosen = _level(chosen)
        return chosen if isinstance(chosen, str) and chosen in self.names and chosen != self.off else None

    @property
    def listed(self) -> bool:
        """Whether a region's value has a list of labels."""
        return self.kind in ("Choices", "Taxonomy")

    def is_written_so(self, chosen: object) -> bool:
        """Whether an element of a region's value has the form that this control writes."""
        forms: dict[str, type] = {"Taxonomy": list, "Rating": int, "Number": int}
        return isinstance(chosen, forms.get(self.kind, str)) and not isinstance(chosen, bool)


def _level(chosen: object) -> str | None:
    """A level as its label writes it, of 4, 4.0 or "4"; None for what is no whole number."""
    if isinstance(chosen, str) and NUMBER.fullmatch(chosen.strip()):
        return str(int(chosen))
    whole = isinstance(chosen, int | float) and not isinstance(chosen, bool) and float(chosen).is_integer()
    return str(int(chosen)) if whole and isinstance(chosen, int | float) else None
