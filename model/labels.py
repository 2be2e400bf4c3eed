"""What may be said about a text: the label space, a candidate set, a human label.

An answer is a set Y of labels, of which an interval L <= Y <= U is known: L is certain, U possible. Where one label is
right, candidates are U and L is empty unless there is one of them; where several are right at once, a teacher says
both, and a person's answer is L = U. The labels of several questions are one space, a group of labels for each.
"""

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
from typing import Literal, TypeAlias, cast, get_args

from model.errors import LabelSpaceError
from model.groups import Group, GroupKind, groups_from_json, parted

AnswerKind: TypeAlias = Literal["one", "ordered", "several"]  # one label, one of levels in order, any number at once
GROUP_KINDS: dict[AnswerKind, GroupKind] = {"one": "one", "ordered": "ordered", "several": "any"}


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
    """The ordered labels of a project's questions, and whether an answer is one of them or a set.

    `scope` names where the labels live (control tag, kind, object tag, data field); it enters the hash, so that a
    change of the scope is a new label space; so does `answer`. `least` is how many labels an answer of `several` has
    at least: 0 where the empty set is an answer, too, else 1.

    `questions` are there where there are several, with qualified names of labels (see `groups.qualified`): then an
    answer is a set with the labels of all of them. Every space has its `groups`: one question is one group.

    Raises LabelSpaceError on fewer than two labels, doubled names, or groups that are not those of the labels.
    """

    labels: tuple[Label, ...]
    scope: str = ""
    answer: AnswerKind = "one"
    least: int = 1
    questions: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        if self.answer not in get_args(AnswerKind) or self.least not in ((0, 1) if self.several else (1,)):
            raise LabelSpaceError(f"a label space cannot take {self.answer!r} with at least {self.least} labels")
        names = [label.name for label in self.labels]
        if len(names) < 2:
            raise LabelSpaceError(f"a label space needs at least two labels, got {names}")
        doubled = sorted(name for name, number in Counter(names).items() if number > 1)
        if doubled:
            raise LabelSpaceError(f"labels occur more than once: {', '.join(doubled)}; make every label unique")
        if self.questions:
            self._check_questions()

    def _check_questions(self) -> None:
        names, before = self.names, set[str]()
        if (self.answer, self.least) != ("several", 1) or len(self.questions) < 2:
            raise LabelSpaceError("several questions are answered by a set of labels, one question needs no groups")
        for group in self.questions:
            here = set(names[group.columns])
            if group.start != len(before) or any(parted(name)[0] != group.name for name in here):
                raise LabelSpaceError(f"the labels of question {group.name!r} do not stand together under its name")
            if not all(label in before for one in group.when for label in one.labels):
                raise LabelSpaceError(f"question {group.name!r} depends on labels that do not come before it")
            before |= here
        if len(before) != len(names):
            raise LabelSpaceError(f"{len(names) - len(before)} labels belong to no question")

    @classmethod
    def of(cls, names: Iterable[str], scope: str = "") -> LabelSpace:
        """A label space from bare names, without hints."""
        return cls(tuple(Label(name) for name in names), scope)

    def __len__(self) -> int:
        return len(self.labels)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    @property
    def several(self) -> bool:
        """Whether an answer is a set of labels: several may be right at once, or there are several questions."""
        return self.answer == "several"

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The questions; the one without a name where there is one."""
        return self.questions or (Group("", GROUP_KINDS[self.answer], 0, len(self), self.least),)

    @cached_property
    def parts(self) -> tuple[LabelSpace, ...]:
        """A label space of its own for every group, with bare names; the space itself where there is one question."""
        return tuple(map(self._part, self.questions)) or (self,)

    def _part(self, group: Group) -> LabelSpace:
        rows = self.labels[group.columns]
        labels = tuple(Label(parted(row.name)[1], row.title if row.title != row.name else "", row.hint) for row in rows)
        return LabelSpace(labels, f"{self.scope}|{group.name}", answer_kind(group.kind), group.least)

    @cached_property
    def group_of(self) -> dict[str, Group]:
        """The question of every label."""
        return {name: group for group in self.groups for name in self.names[group.columns]}

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
        """Six hex digits over scope, the ordered (name, title, hint) triples, and what an answer is if a set."""
        content: list[object] = [self.scope, [[label.name, label.title, label.hint] for label in self.labels]]
        if self.several:
            content += [self.answer, self.least]
        if self.questions:
            content.append([group.to_json() for group in self.questions])
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:6]

    def to_json(self) -> dict[str, object]:
        """A plain object for model cards and version folders."""
        rows = [{"name": label.name, "title": label.title, "hint": label.hint} for label in self.labels]
        more: dict[str, object] = {"answer": self.answer, "least": self.least} if self.answer != "one" else {}
        if self.questions:
            more["questions"] = [group.to_json() for group in self.questions]
        return {"scope": self.scope, "labels": rows, **more}

    @classmethod
    def from_json(cls, content: dict[str, object]) -> LabelSpace:
        """The inverse of `to_json`; LabelSpaceError if a field is missing or of the wrong type."""
        try:
            rows = content["labels"]
            if not isinstance(rows, list):
                raise TypeError(f"labels is {type(rows).__name__}, not a list")
            labels = tuple(Label(str(row["name"]), str(row["title"]), str(row["hint"])) for row in rows)
            answer = cast("AnswerKind", content.get("answer", "one"))  # older ones knew no other
            questions = groups_from_json(content.get("questions", ()))
            return cls(labels, str(content["scope"]), answer, cast("int", content.get("least", 1)), questions)
        except (KeyError, TypeError) as error:
            raise LabelSpaceError(f"not a stored label space: {error!r}") from error


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """The set of labels that a teacher finds possible, most likely first.

    `confidences` has one number in [0, 1] per label, or is empty when the teacher gives none. `certain` are those that
    the teacher is sure of where several may be right at once; they stand first, and only then may the set be empty: no
    label applies. None where one label is right.
    """

    labels: tuple[str, ...]
    confidences: tuple[float, ...] = ()
    certain: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.certain is not None and self.labels[: len(self.certain)] != self.certain:
            raise LabelSpaceError(f"what is certain ({', '.join(self.certain)}) has to stand first in a candidate set")
        if not self.labels and self.certain is None:
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
    def answer(self) -> tuple[str, ...]:
        """What the teacher would tick if it had to decide: its first label, or all that are certain."""
        return self.labels[:1] if self.certain is None else self.certain

    @property
    def score(self) -> float:
        """Confidence in the first label; 1 / size where the teacher gave no confidences.

        Where several labels may be right: the share of what was named that is certain, the rest counted as one more.
        """
        if self.certain is not None:
            return (1 + len(self.certain)) / (1 + len(self.labels))
        return self.confidences[0] if self.confidences else 1.0 / len(self.labels)


class Decision(StrEnum):
    """What a person did with a task."""

    FINAL = "final"  # exactly one label
    NARROWED = "narrowed"  # several labels left ticked: a partial label
    SKIPPED = "skipped"  # no label


@dataclass(frozen=True, slots=True)
class HumanLabel:
    """What people decided about one task: one label, several, or none (skipped).

    Where several labels may be right at once, `certain` are those that all agree on: with `labels` the same set, maybe
    empty, the answer is final. None where one label is right, and for a skipped task.
    """

    labels: tuple[str, ...]
    certain: tuple[str, ...] | None = None

    @property
    def decision(self) -> Decision:
        """Final, narrowed or skipped."""
        if self.certain is not None:
            return Decision.FINAL if set(self.certain) == set(self.labels) else Decision.NARROWED
        return (Decision.SKIPPED, Decision.FINAL)[len(self.labels)] if len(self.labels) < 2 else Decision.NARROWED


def answer_kind(kind: GroupKind) -> AnswerKind:
    """What an answer is to a question of this kind."""
    return "several" if kind == "any" else kind


def readable(name: str) -> str:
    """A label's name as words: `card_arrival`, `CardArrival`, `card-arrival` become `card arrival`, `Card Arrival`.

    >>> readable("MeanOfTransportation")
    'Mean Of Transportation'
    """
    spaced = re.sub(r"[_/\\\-]+", " ", name)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", spaced)
    return " ".join(spaced.split()) or name
