"""What may be said about a text: the label space, a candidate set, a human label."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from model.errors import LabelSpaceError


@dataclass(frozen=True, slots=True)
class Label:
    """One label. `name` is the string on the wire (the alias where there is one), `title` what people read."""

    name: str
    title: str = ""
    hint: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise LabelSpaceError("a label is empty; give every choice a value")
        if not self.title:
            object.__setattr__(self, "title", self.name)


@dataclass(frozen=True)
class LabelSpace:
    """The ordered labels of one control tag.

    `scope` names where the labels live (control tag, kind, object tag, data field); it enters the hash, so that a
    change of the scope is a new label space.

    Raises LabelSpaceError on fewer than two labels or doubled names.
    """

    labels: tuple[Label, ...]
    scope: str = ""

    def __post_init__(self) -> None:
        names = [label.name for label in self.labels]
        if len(names) < 2:
            raise LabelSpaceError(f"a label space needs at least two labels, got {names}")
        doubled = sorted(name for name, number in Counter(names).items() if number > 1)
        if doubled:
            raise LabelSpaceError(f"labels occur more than once: {', '.join(doubled)}; make every label unique")

    @classmethod
    def of(cls, names: Iterable[str], scope: str = "") -> LabelSpace:
        """A label space from bare names, without hints."""
        return cls(tuple(Label(name) for name in names), scope)

    def __len__(self) -> int:
        return len(self.labels)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the control tag."""
        return tuple(label.name for label in self.labels)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    def index(self, name: str) -> int:
        """Position of a label; LabelSpaceError with the nearest known name if there is no such label."""
        try:
            return self._index[name]
        except KeyError:
            near = difflib.get_close_matches(name, self.names, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise LabelSpaceError(f"label {name!r} is not in the label space{hint}") from None

    @cached_property
    def hash(self) -> str:
        """Six hex digits over scope and the ordered (name, title, hint) triples."""
        content = [self.scope, [[label.name, label.title, label.hint] for label in self.labels]]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:6]

    def to_json(self) -> dict[str, object]:
        """A plain object for model cards and version folders."""
        rows = [{"name": label.name, "title": label.title, "hint": label.hint} for label in self.labels]
        return {"scope": self.scope, "labels": rows}

    @classmethod
    def from_json(cls, content: dict[str, object]) -> LabelSpace:
        """The inverse of `to_json`; LabelSpaceError if a field is missing or of the wrong type."""
        try:
            rows = content["labels"]
            if not isinstance(rows, list):
                raise TypeError(f"labels is {type(rows).__name__}, not a list")
            labels = tuple(Label(str(row["name"]), str(row["title"]), str(row["hint"])) for row in rows)
            return cls(labels, str(content["scope"]))
        except (KeyError, TypeError) as error:
            raise LabelSpaceError(f"not a stored label space: {error!r}") from error


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """The non-empty set of labels that a teacher finds possible, most likely first.

    `confidences` has one number in [0, 1] per label, or is empty when the teacher gives none.
    """

    labels: tuple[str, ...]
    confidences: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.labels:
            raise LabelSpaceError("a candidate set may not be empty; record an abstention instead")
        if len(set(self.labels)) != len(self.labels):
            raise LabelSpaceError(f"a candidate set names a label twice: {', '.join(self.labels)}")
        if self.confidences and len(self.confidences) != len(self.labels):
            raise LabelSpaceError(f"{len(self.labels)} candidates but {len(self.confidences)} confidences")
        if any(not 0.0 <= value <= 1.0 for value in self.confidences):
            raise LabelSpaceError(f"confidences must lie in [0, 1], got {self.confidences}")

    @property
    def top(self) -> str:
        """The teacher's first label."""
        return self.labels[0]

    @property
    def score(self) -> float:
        """Confidence in the first label; 1 / size where the teacher gave no confidences."""
        return self.confidences[0] if self.confidences else 1.0 / len(self.labels)


class Decision(StrEnum):
    """What a person did with a task."""

    FINAL = "final"  # exactly one label
    NARROWED = "narrowed"  # several labels left ticked: a partial label
    SKIPPED = "skipped"  # no label


@dataclass(frozen=True, slots=True)
class HumanLabel:
    """What people decided about one task: one label, several, or none (skipped)."""

    labels: tuple[str, ...]

    @property
    def decision(self) -> Decision:
        """Final, narrowed or skipped."""
        return (Decision.SKIPPED, Decision.FINAL)[len(self.labels)] if len(self.labels) < 2 else Decision.NARROWED


def readable(name: str) -> str:
    """A label's name as words: `card_arrival`, `CardArrival`, `card-arrival` become `card arrival`, `Card Arrival`.

    >>> readable("MeanOfTransportation")
    'Mean Of Transportation'
    """
    spaced = re.sub(r"[_/\\\-]+", " ", name)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", spaced)
    return " ".join(spaced.split()) or name
