"""Who sits in a committee, as people write it down. Light: settings are checked with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT = ("student", "words", "names")
STUDENT = re.compile(r"student(?::(?P<seed>\d+))?(?:/(?P<way>head|adapted|finetune))?(?:@(?P<encoder>\S+))?")


@dataclass(frozen=True)
class StudentSeat:
    """A student other than the project's: on a bootstrap sample (`seed`), trained in another way, with another encoder.

    None is what the project's student has.
    """

    seed: int | None = None
    way: str | None = (
        None  # head, adapted (head on an encoder adapted to people's labels), finetune (the whole encoder)
    )
    encoder: str | None = None  # as STUDENT_ENCODER

    @classmethod
    def of(cls, name: str) -> StudentSeat | None:
        """From `student[:<seed>][/<way>][@<encoder>]`; None if that is no student."""
        found = STUDENT.fullmatch(name)
        if found is None:
            return None
        return cls(None if found["seed"] is None else int(found["seed"]), found["way"], found["encoder"])


@dataclass(frozen=True)
class Roster:
    """Who sits in the committee: `student` is the project's, others are as StudentSeat has them; `words`, `names`, and
    files that describe existing classifiers: {"place": hub name or folder, "map": {its label: ours or null}}, or, for a
    zero-shot one, {"place": …, "hypothesis": "This text is about {}."}."""

    members: tuple[str, ...] = DEFAULT

    @classmethod
    def of(cls, text: str) -> Roster:
        """From names with commas between them; ValueError says what is wrong."""
        return cls(tuple(name for part in text.split(",") if (name := part.strip())))

    def __post_init__(self) -> None:
        if len(self.members) < 2 or len(set(self.members)) < len(self.members):
            raise ValueError(
                f"a committee needs two or more different members, got {', '.join(self.members) or 'none'}"
            )
        for name in self.members:
            if name not in DEFAULT and not name.endswith(".json") and StudentSeat.of(name) is None:
                raise ValueError(
                    f"{name!r} is no member; allowed: words, names, <file>.json, and student, with :<seed>, then "
                    "/head, /adapted or /finetune, then @<encoder> where it differs from the project's student"
                )
