"""What every teacher is to the rest: texts in, one answer per text out, with what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol

from model.labels import CandidateSet


class State(StrEnum):
    """How an answer ended."""

    ANSWERED = "answered"  # a candidate set
    ABSTAINED = "abstained"  # the model itself declined, or found no label fitting
    REFUSED = "refused"  # the server does not let this text through: too long, a content filter
    UNPARSED = "unparsed"  # there was an answer, also when asked again, but no label in it


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls cost. `input_tokens` are all tokens sent; `cached_tokens` the part of them read from a prompt cache.

    Money is in millionths of a US dollar, rounded up per call, so that the sum is never less than the bill. `estimated`
    of the calls came without counts of tokens, so that theirs are ours.
    """

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    microusd: int = 0
    estimated: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Answer:
    """The teacher's answer to one text. `candidates` is there exactly when the state is ANSWERED.

    `raw` is the answer as received. `reason` says in a few words why there is no set, or what was repaired.
    """

    state: State
    candidates: CandidateSet | None
    raw: str
    usage: Usage = Usage()
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.candidates is not None) != (self.state is State.ANSWERED):
            raise ValueError(f"state {self.state} and candidates {self.candidates} contradict each other")


class Teacher(Protocol):
    """Proposes candidate sets.

    `name` is for people, `hash` (six hex digits) covers everything that shapes the answers, `paid` says whether calls
    cost money, `fast` whether it may be called inside a request.
    """

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str: ...
    @property
    def paid(self) -> bool: ...
    @property
    def fast(self) -> bool: ...

    def shortlist(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, in order; one bad text never fails the others.

        Raises TeacherUnavailable (later may help) or TeacherRefused (it will not) when nothing can go on; what was
        answered and paid before is in the error's `partial`.
        """

    def upper_bound_microusd(self, texts: Sequence[str]) -> int:
        """What `shortlist(texts)` can cost at most, re-asking included; 0 when it is free."""
