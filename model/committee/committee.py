"""A committee as one artifact: a folder per seat and one description, promoted or rolled back as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model.arrays import FloatArray
from model.committee.existing import ExistingMember
from model.committee.member import Member, StudentMember, member_probabilities
from model.committee.names import NamesMember
from model.committee.pooling import Pooling, member_evidence
from model.committee.words import WordsMember
from model.errors import ArtifactError, LabelSpaceError
from model.labels import LabelSpace
from model.student.artifact import DESCRIPTION as STUDENT
from model.student.options import Embed
from model.student.student import load_student

DESCRIPTION = "committee.json"
FORMAT = 1
KINDS: dict[type, str] = {
    StudentMember: "student",
    WordsMember: "words",
    ExistingMember: "existing",
    NamesMember: "names",
}


@dataclass(frozen=True)
class Seat:
    """Folder and kind of one member."""

    folder: str
    name: str
    kind: str


@dataclass
class Committee:
    """Members and their weights; answers like a student, so that it can be served like one."""

    space: LabelSpace
    members: list[Member]
    weights: tuple[float, ...] = ()
    kind: str = "committee"
    encoder: str = "default"
    temperature: float = 1.0
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.weights and len(self.weights) != len(self.members):
            raise ValueError(f"{len(self.weights)} weights for {len(self.members)} members")
        for member in self.members:
            if member.space.hash != self.space.hash:
                raise LabelSpaceError(f"member {member.name!r} answers another label space")

    def all_probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Every member's answers, `(k, n, C)`."""
        return member_probabilities(self.members, texts)

    def probabilities(self, texts: Sequence[str], embed: Embed | None = None) -> FloatArray:
        """The weighted answer of all, float32 `(n, C)`; equal weights if none are set. Members bring their `embed`."""
        pooling = Pooling(np.asarray(self.weights, np.float32)) if self.weights else Pooling.equal(len(self.members))
        return pooling.posterior([member_evidence(answers) for answers in self.all_probabilities(texts)])

    def save(self, folder: Path) -> None:
        """Write all members and then the description; ArtifactError for a member of unknown kind."""
        seats = []
        for number, member in enumerate(self.members):
            kind = KINDS.get(type(member))
            if kind is None:
                raise ArtifactError(f"member {member.name!r} of type {type(member).__name__} cannot be stored")
            seats.append(Seat(f"member-{number}", member.name, kind))
            member.save(folder / seats[-1].folder)
        content = {
            "format": FORMAT,
            "kind": self.kind,
            "encoder": self.encoder,
            "temperature": self.temperature,
            "label_space": self.space.to_json(),
            "weights": list(self.weights),
            "members": [{"folder": seat.folder, "name": seat.name, "kind": seat.kind} for seat in seats],
            "facts": self.facts,
        }
        (folder / DESCRIPTION).write_text(json.dumps(content, ensure_ascii=False, indent=1))

    @classmethod
    def load(cls, folder: Path, embed: Embed | None = None) -> Committee:
        """The inverse of `save`; ArtifactError names file and field."""
        path = folder / DESCRIPTION
        try:
            content = json.loads(path.read_text())
            space = LabelSpace.from_json(content["label_space"])
            seats = [Seat(str(seat["folder"]), str(seat["name"]), str(seat["kind"])) for seat in content["members"]]
            weights = tuple(float(weight) for weight in content["weights"])
        except (OSError, ValueError, KeyError, TypeError, LabelSpaceError) as error:
            raise ArtifactError(f"{path}: not a stored committee ({error!r})") from error
        members = [load_member(folder, seat, embed) for seat in seats]
        return cls(
            space, members, weights, encoder=str(content.get("encoder", "default")), facts=content.get("facts", {})
        )


def load_member(folder: Path, seat: Seat, embed: Embed | None) -> Member:
    """One member; ArtifactError for an unknown kind or a folder outside of the committee's."""
    place = (folder / seat.folder).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise ArtifactError(f"{folder / DESCRIPTION}: member folder {seat.folder!r} lies outside")
    if seat.kind == "student":
        if not (place / STUDENT).is_file():
            raise ArtifactError(f"{place / STUDENT}: missing")
        return StudentMember(seat.name, load_student(place), embed)
    if seat.kind == "words":
        return WordsMember.load(place)
    if seat.kind == "existing":
        return ExistingMember.load(place)
    if seat.kind == "names":
        return NamesMember.load(place, embed)
    raise ArtifactError(f"{folder / DESCRIPTION}: member kind {seat.kind!r} is unknown")
