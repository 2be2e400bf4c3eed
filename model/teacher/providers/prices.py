"""What tokens cost: a dated price file, and TEACHER_PRICE for what it lacks or has otherwise.

A model without a price is refused, never free; a price for a server of one's own makes no other model free.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from model.teacher.base import Usage
from model.teacher.errors import TeacherRefused

PRICES = Path(__file__).with_name("prices.json")
USUAL_PREFIX = 1_024  # tokens
SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. `cached` is read from, `cache_write` written to a prompt cache.

    `batch` is the factor on everything when asked through a batch API. `as_of` is the price table's date, empty for a
    price from the settings. `prefix` is how many tokens a request's beginning must have to be kept in the cache.
    """

    input: float
    output: float
    cached: float
    cache_write: float
    batch: float = 1.0
    as_of: str = ""
    prefix: int = USUAL_PREFIX

    def usage(
        self,
        input_tokens: int,
        output_tokens: int,
        cached_tokens: int = 0,
        written_tokens: int = 0,
        batch: bool = False,
    ) -> Usage:
        """The usage of one call. `input_tokens` are all tokens sent: from the cache, into it, and the rest."""
        plain = max(0, input_tokens - cached_tokens - written_tokens)
        dollars = plain * self.input + cached_tokens * self.cached + written_tokens * self.cache_write
        dollars += output_tokens * self.output
        microusd = math.ceil(round(dollars * (self.batch if batch else 1.0), 6))  # per million tokens = micro per token
        return Usage(1, input_tokens, cached_tokens, output_tokens, microusd)

    def bound(self, input_tokens: int, output_tokens: int) -> int:
        """The most that a call with so many tokens can cost, millionths of a US dollar."""
        dearest = max(self.input, self.cached, self.cache_write)
        return math.ceil(round(input_tokens * dearest + output_tokens * self.output, 6))


def price_of(model: str, stated: str = "") -> Price:
    """The price of `openai:<model>` or `anthropic:<model>`.

    `stated` (TEACHER_PRICE) holds prices `input,output` or `input,output,cached`, separated by `;`. One that begins
    with `<model>=` wins over the file for that model; one that names no model holds for all that are not in the file.
    Raises TeacherRefused if there is no price, or if `stated` is malformed.
    """
    own = _stated(stated)
    if model in own:
        return own[model]
    table = _table()
    row = table["models"].get(model) or table["models"].get(SNAPSHOT.sub("", model))
    if row is None and "" in own:
        return own[""]
    if row is None:
        raise TeacherRefused(
            f"no price is known for {model} (price table of {table['as_of']}). Set TEACHER_PRICE=input,output in US "
            "dollars per million tokens; TEACHER_PRICE=0,0 for a server of your own"
        )
    write, prefix = row.get("cache_write", row["input"]), row.get("prefix", USUAL_PREFIX)
    return Price(row["input"], row["output"], row["cached"], write, row.get("batch", 1.0), table["as_of"], prefix)


def known_models() -> list[str]:
    """Models with a price, as TEACHER would name them."""
    return sorted(_table()["models"])


def prices_as_of() -> str:
    """The date of the price table, ISO."""
    return str(_table()["as_of"])


@cache
def _table() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(PRICES.read_text(encoding="utf-8"))
    return content


def _stated(setting: str) -> dict[str, Price]:
    """Prices of TEACHER_PRICE by model; "" for the one that names none."""
    found: dict[str, Price] = {}
    for entry in filter(None, (part.strip() for part in setting.split(";"))):
        model, _, numbers = entry.rpartition("=")
        found[model.strip()] = _from_numbers(numbers, setting)
    return found


def _from_numbers(numbers: str, setting: str) -> Price:
    try:
        dollars = [float(part) for part in numbers.split(",")]
    except ValueError:
        dollars = []
    if len(dollars) not in (2, 3) or any(not 0 <= number < 1e6 for number in dollars):
        raise TeacherRefused(
            f"TEACHER_PRICE={setting!r} is not a price; write input,output in US dollars per million tokens, for "
            "example 0.10,0.50, or openai:my-model=0,0 for one model; several are separated by ;"
        )
    cached = dollars[2] if len(dollars) == 3 else dollars[0]
    return Price(dollars[0], dollars[1], cached, dollars[0] * 1.25)
