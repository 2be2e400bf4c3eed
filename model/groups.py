"""The questions of a label space: each is a group of its labels, with a kind of answer and maybe a condition."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from model.errors import LabelSpaceError

GroupKind: TypeAlias = Literal["one", "any", "ordered"]  # one label; any number of them; one of labels in order
KINDS = ("one", "any", "ordered")


@dataclass(frozen=True, slots=True)
class When:
    """A condition: one of these labels (qualified, of other questions) is chosen; or none of them, if not `chosen`."""

    labels: tuple[str, ...]
    chosen: bool = True

    def holds(self, answer: Collection[str]) -> bool:
        """Whether an answer fulfils it."""
        return self.chosen == any(label in answer for label in self.labels)


@dataclass(frozen=True, slots=True)
class Group:
    """The labels from `start` to before `stop` of a label space: the answers to one question.

    `name` is the control tag's, "" where it is the only question. `least` labels are right at once where the kind is
    `any`; the question is asked only where all of `when` hold.
    """

    name: str
    kind: GroupKind
    start: int
    stop: int
    least: int = 1
    when: tuple[When, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.least not in ((0, 1) if self.kind == "any" else (1,)):
            raise LabelSpaceError(f"question {self.name!r} cannot take {self.kind!r} with at least {self.least} labels")
        if self.stop - self.start < 2:
            raise LabelSpaceError(f"question {self.name!r} needs at least two labels, got {self.stop - self.start}")

    @property
    def columns(self) -> slice:
        """Its labels in arrays `(n, C)`."""
        return slice(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start

    def to_json(self) -> dict[str, Any]:
        """A plain object; `start` follows from the groups before it."""
        when = [{"labels": list(one.labels), "chosen": one.chosen} for one in self.when]
        return {"name": self.name, "kind": self.kind, "labels": len(self), "least": self.least, "when": when}


def groups_from_json(rows: Any) -> tuple[Group, ...]:
    """The inverse of `to_json` for all groups of a space, in order; KeyError or TypeError where a field is wrong."""
    found: list[Group] = []
    for row in rows:
        start = found[-1].stop if found else 0
        when = tuple(When(tuple(map(str, one["labels"])), bool(one["chosen"])) for one in row["when"])
        found.append(Group(str(row["name"]), row["kind"], start, start + int(row["labels"]), int(row["least"]), when))
    return tuple(found)


def qualified(question: str, label: str) -> str:
    """A label's name among those of other questions, from which `parted` gets both back.

    >>> qualified("mood", "a=b"), qualified("50%=half", "no")
    ('mood=a=b', '50%25%3Dhalf=no')
    """
    return f"{question.replace('%', '%25').replace('=', '%3D')}={label}"


def parted(name: str) -> tuple[str, str]:
    """Question and label of a qualified name; LabelSpaceError if it is none.

    >>> parted("50%25%3Dhalf=no")
    ('50%=half', 'no')
    """
    question, equals, label = name.partition("=")
    if not equals:
        raise LabelSpaceError(f"label {name!r} does not say to which question it belongs")
    return question.replace("%3D", "=").replace("%25", "%"), label
