"""The members of a roster, trained: students of several encoders and ways, words, names, classifiers of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import structlog

from model.arrays import Embed, FloatArray, Progress, Stop
from model.committee.members.classifier import ExistingMember, open_existing
from model.committee.members.entailment import EntailmentMember
from model.committee.members.label_names import NamesMember
from model.committee.members.member import Member, StudentMember
from model.committee.members.sklearn_pipeline import PipelineMember
from model.committee.members.tfidf import WordsMember
from model.committee.roster import Roster, StudentSeat
from model.errors import ArtifactError, NotEnoughDataError
from model.labels import LabelSpace
from model.training.data import TrainingData
from model.training.options import TrainingOptions, TrainingReport

if TYPE_CHECKING:
    from model.student.adapted import AdaptedEncoder
    from model.student.student import Student

log = structlog.get_logger(__name__)

Encoders: TypeAlias = Callable[[str], Embed]  # the value of STUDENT_ENCODER -> its vectors


def loaded(encoder: str) -> Embed:
    """The encoder itself, in float32; `open_encoder` keeps it for the whole process."""
    from model.encoder.runtimes import open_encoder

    return open_encoder(encoder).embed


@dataclass(frozen=True)
class Seats:
    """Fills the seats of a roster. `embed` is the project's encoder, `encoders` opens those of other students."""

    space: LabelSpace
    roster: Roster
    options: TrainingOptions
    embed: Embed
    stop: Stop
    encoders: Encoders = loaded

    def filled(self, learned: TrainingData, progress: Progress | None = None) -> tuple[list[Member], TrainingReport]:
        """The members, in the order of the roster, and the report about the project's student."""
        from model.train import train_student

        first, report = train_student(self.space, learned, self.options, self.embed, progress, self.stop)
        targets = refined(learned, first.probabilities(learned.texts, self.embed))
        return [self._member(name, learned, first, targets) for name in self.roster.members], report

    def _member(self, name: str, learned: TrainingData, first: Student, targets: FloatArray) -> Member:
        if name == "student":
            return StudentMember(name, first, self.embed)
        if name == "words":
            return WordsMember.fit(name, self.space, learned.texts, targets)
        if name == "names":
            return NamesMember(name, self.space, self.embed)
        seat = StudentSeat.of(name)
        return existing(name, self.space) if seat is None else self._student(name, seat, learned)

    def _student(self, name: str, seat: StudentSeat, learned: TrainingData) -> StudentMember:
        """A student of its own kind; TrainingStopped, TrainingError and EncoderError as for a single one."""
        from model.train import train_student

        options, embed = self.options, self.embed
        if seat.encoder is not None and seat.encoder != options.encoder:
            options, embed = replace(options, encoder=seat.encoder, runtime="float32"), self.encoders(seat.encoder)
        if seat.way is not None:
            options = replace(options, way="finetune" if seat.way == "finetune" else "head")
        if seat.seed is not None:
            options = replace(options, seed=seat.seed)
            drawn = np.random.default_rng(seat.seed).integers(0, len(learned), len(learned))
            learned = learned.rows(drawn)
        own = self._adapted(name, learned, options) if seat.way == "adapted" else None
        student, _ = train_student(self.space, learned, options, embed, stop=self.stop, own=own)
        return StudentMember(name, student, embed)

    def _adapted(self, name: str, learned: TrainingData, options: TrainingOptions) -> AdaptedEncoder | None:
        """An encoder adapted to people's labels; None, a plain head's, while these are too few."""
        from model.training.adaptation import adapt

        try:
            return adapt(learned, options, stop=self.stop)
        except NotEnoughDataError as error:
            log.info("the member's encoder stays as it is", member=name, reason=str(error))
            return None


def existing(path: str, space: LabelSpace) -> ExistingMember | PipelineMember | EntailmentMember:
    """The classifier that a file describes: one with a map of its labels, or a zero-shot one with a hypothesis.

    ArtifactError names the file, LabelSpaceError what its map lacks.
    """
    try:
        content = json.loads(Path(path).read_text())
        place, zero_shot = str(content["place"]), "hypothesis" in content
        targets = {} if zero_shot else dict(content["map"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        expected = '{"place": …, "map": {…}}, or {"place": …, "hypothesis": "… {} …"}, is expected'
        raise ArtifactError(f"{path}: not a member; {expected} ({error!r})") from error
    if zero_shot:
        return EntailmentMember(Path(path).stem, space, place, str(content["hypothesis"]))
    return open_existing(Path(path).stem, space, place, targets)


def refined(data: TrainingData, probabilities: FloatArray) -> FloatArray:
    """What members without a refinery learn: the student's belief inside each row's candidates, `(n, C)`."""
    inside = data.candidates * (probabilities + np.float32(1e-6))
    targets: FloatArray = (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32)
    return targets
