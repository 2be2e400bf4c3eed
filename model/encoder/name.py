"""What STUDENT_ENCODER holds: a place, and by hand what its own files do not say about how it is used."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from model.errors import EncoderError

POOLINGS = ("mean", "cls", "last", "max")
FORM = "write NAME?prefix=WORDS&pooling=WAY"


@dataclass(frozen=True)
class EncoderName:
    """`default`, a folder or a hub name; `prefix` stands before every text, `pooling` makes one vector of a text's
    tokens (one of POOLINGS). None: as the model's own files say."""

    place: str
    prefix: str | None = None
    pooling: str | None = None

    @classmethod
    def of(cls, text: str) -> EncoderName:
        """Read `place?prefix=query:%20&pooling=cls`; percent signs escape. EncoderError says what is wrong."""
        place, _, rest = text.partition("?")
        given: dict[str, str] = {}
        for part in rest.split("&") if rest else []:
            key, equals, value = part.partition("=")
            if key not in ("prefix", "pooling") or not equals or key in given:
                raise EncoderError(
                    f"STUDENT_ENCODER={text}: {part!r} after the question mark is not understood; {FORM}"
                )
            given[key] = unquote(value)
        pooling = given.get("pooling")
        if pooling is not None and pooling not in POOLINGS:
            allowed = ", ".join(POOLINGS)
            raise EncoderError(f"STUDENT_ENCODER={text}: the pooling {pooling!r} is unknown; allowed are {allowed}")
        if not place.strip():
            raise EncoderError(f"STUDENT_ENCODER={text}: the name of the encoder is missing; {FORM}")
        return cls(place, given.get("prefix"), pooling)
