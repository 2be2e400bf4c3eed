"""How an encoder is used: what is one vector of a text, told once and kept with every copy of the encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MOST_PIECES = 8  # of a long text: more cost more than they tell (docs/evidence/encoders.md)


@dataclass(frozen=True)
class Usage:
    """From a text to a vector.

    `prefix` stands before the text, which is lower-cased if `lower`. At most `longest` tokens are
    read at once, `lead` of them before the text (special ones and the prefix) and `trail` behind it; a longer text
    is read in `pieces` of that length, at most. `pooling` lists ways to make one vector of the tokens, joined where
    there are several; the first `skipped` tokens do not count. `dense` are the activations of the layers behind it, and
    of their result the first `kept` numbers stay (0: all), brought to length 1.
    """

    pooling: tuple[str, ...] = ("mean",)
    prefix: str = ""
    lower: bool = False
    longest: int = 256
    lead: int = 1
    trail: int = 1
    pieces: int = 1
    skipped: int = 0
    dense: tuple[str, ...] = ()
    kept: int = 0

    def given(self, text: str) -> str:
        """The text as the tokenizer is given it."""
        text = self.prefix + text
        return text.lower() if self.lower else text

    def said(self) -> str:
        """For people: what is done to their texts."""
        prefix = f"the words {self.prefix!r} before each text" if self.prefix else "no words before the texts"
        read = f"{self.longest} tokens at once, at most {self.pieces} times a text"
        return f"{' and '.join(self.pooling)} pooling, {prefix}, {read}"

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return asdict(self)

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Usage:
        """The inverse of `to_json`; fields that are missing have their defaults, as older releases knew no other.

        TypeError or ValueError if it is none."""
        known = {name: content[name] for name in cls.__dataclass_fields__ if name in content}
        for name in ("pooling", "dense"):
            if name in known:
                known[name] = tuple(map(str, known[name]))
        return cls(**known)
