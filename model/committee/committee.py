"""A committee as one artifact: the seats' files in one archive and one description, promoted or rolled back as a whole.

It answers like a student, so that it is stored, loaded, served and compared like one.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model.arrays import Embed, FloatArray
from model.committee.members.classifier import ExistingMember
from model.committee.members.entailment import EntailmentMember
from model.committee.members.label_names import NamesMember
from model.committee.members.member import Member, StudentMember, member_probabilities
from model.committee.members.sklearn_pipeline import PipelineMember
from model.committee.members.tfidf import WordsMember
from model.committee.pooling import Pooling, member_evidence
from model.committee.reviewer import Reviewer
from model.committee.voting import union_of_votes
from model.errors import ArtifactError, LabelSpaceError
from model.labels import CandidateSet, LabelSpace
from model.student.artifact import DESCRIPTION, read_description, read_space, write_artifact

MEMBERS = "members.zip"
KINDS: dict[type, str] = {
    StudentMember: "student",
    WordsMember: "words",
    ExistingMember: "existing",
    NamesMember: "names",
    PipelineMember: "pipeline",
    EntailmentMember: "entailment",
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
    thresholds: FloatArray | None = None  # one label is right: several are not for committees

    def __post_init__(self) -> None:
        if self.weights and len(self.weights) != len(self.members):
            raise ValueError(f"{len(self.weights)} weights for {len(self.members)} members")
        for member in self.members:
            if member.space.hash != self.space.hash:
                raise LabelSpaceError(f"member {member.name!r} answers another label space")

    def all_probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Every member's answers, `(k, n, C)`."""
        return member_probabilities(self.members, texts)

    def union(self, probabilities: FloatArray) -> list[CandidateSet | None]:
        """What members that answered `(k, n, C)` hold possible, by their weights: `union_of_votes`."""
        weights = np.asarray(self.weights, np.float32) if self.weights else None
        return union_of_votes(probabilities, self.space, weights)

    def probabilities(self, texts: Sequence[str], embed: Embed | None = None) -> FloatArray:
        """The weighted answer of all, float32 `(n, C)`; equal weights if none are set.

        Members that were loaded without an encoder get `embed`.
        """
        self.lend(embed)
        return self.pooled(self.all_probabilities(texts))

    def pooled(self, members: FloatArray) -> FloatArray:
        """The weighted answer `(n, C)` of answers of all members `(k, n, C)`."""
        pooling = Pooling(np.asarray(self.weights, np.float32)) if self.weights else Pooling.equal(len(self.members))
        return pooling.posterior([member_evidence(answers) for answers in members])

    @property
    def reviewer(self) -> Reviewer | None:
        """What the teacher's word is worth; None while too few human labels can tell."""
        stored = self.facts.get("reviewer")
        return Reviewer.from_json(stored, len(self.space), len(self.members)) if stored else None

    def lend(self, embed: Embed | None) -> None:
        """Let the students that have the committee's encoder use a cache of embeddings."""
        for member in self.members:
            if isinstance(member, StudentMember) and member.student.encoder == self.encoder and embed is not None:
                member.lend(embed)

    def save(self, folder: Path) -> None:
        """Write members.zip and student.json into `folder`; ArtifactError for a member of unknown kind."""
        seats = []
        with tempfile.TemporaryDirectory(prefix="shortlist-") as temporary:
            for number, member in enumerate(self.members):
                kind = KINDS.get(type(member))
                if kind is None:
                    raise ArtifactError(f"member {member.name!r} of type {type(member).__name__} cannot be stored")
                seats.append(Seat(f"member-{number}", member.name, kind))
                member.save(Path(temporary) / seats[-1].folder)
            content = {
                "weights": list(self.weights),
                "members": [{"folder": seat.folder, "name": seat.name, "kind": seat.kind} for seat in seats],
                "facts": self.facts,
            }
            write_artifact(folder, self, {}, content)
            with zipfile.ZipFile(folder / MEMBERS, "w") as archive:
                for path in sorted(Path(temporary).rglob("*")):
                    archive.write(path, path.relative_to(temporary))

    @classmethod
    def load(cls, folder: Path, embed: Embed | None = None) -> Committee:
        """The inverse of `save`; ArtifactError names file and field."""
        content = read_description(folder)
        space = read_space(folder, content)
        try:
            seats = [Seat(str(seat["folder"]), str(seat["name"]), str(seat["kind"])) for seat in content["members"]]
            weights = tuple(float(weight) for weight in content["weights"])
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{folder / DESCRIPTION}: not a stored committee ({error!r})") from error
        with tempfile.TemporaryDirectory(prefix="shortlist-") as temporary:
            try:
                with zipfile.ZipFile(folder / MEMBERS) as archive:
                    archive.extractall(temporary)  # keeps names inside the folder
            except (OSError, zipfile.BadZipFile) as error:
                raise ArtifactError(f"{folder / MEMBERS}: cannot be read ({error})") from error
            members = [load_member(Path(temporary), seat, embed) for seat in seats]
        found = cls(space, members, weights, encoder=str(content["encoder"]), facts=content.get("facts", {}))
        found.lend(embed)
        return found


def load_member(folder: Path, seat: Seat, embed: Embed | None) -> Member:
    """One member; ArtifactError for an unknown kind or a folder outside of the committee's."""
    from model.student.adapted import AdaptedStudent
    from model.student.loading import load_student

    place = (folder / seat.folder).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise ArtifactError(f"{folder / DESCRIPTION}: member folder {seat.folder!r} lies outside")
    if seat.kind == "student":
        if not (place / DESCRIPTION).is_file():
            raise ArtifactError(f"{place / DESCRIPTION}: missing")
        student = load_student(place)
        if isinstance(student, AdaptedStudent):
            student.own.keep()  # the folder it was read from goes
        return StudentMember(seat.name, student)
    if seat.kind == "words":
        return WordsMember.load(place)
    if seat.kind == "existing":
        return ExistingMember.load(place)
    if seat.kind == "pipeline":
        return PipelineMember.load(place)
    if seat.kind == "entailment":
        return EntailmentMember.load(place)
    if seat.kind == "names":
        return NamesMember.load(place, embed)
    raise ArtifactError(f"{folder / DESCRIPTION}: member kind {seat.kind!r} is unknown")
