"""What tokens cost: a dated price file, overridden by TEACHER_PRICE. A model without a price is refused, never free."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from model.errors import TeacherRefused
from model.teacher.base import Usage

PRICES = Path(__file__).with_name("prices.json")
SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. `cached` is read from, `cache_write` written to a prompt cache.

    `batch` is the factor on everything when asked through a batch API. `as_of` is the price table's date, empty for a
    price from the settings.
    """

    input: float
    output: float
    cached: float
    cache_write: float
    batch: float = 1.0
    as_of: str = ""

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


def price_of(model: str, override: str = "") -> Price:
    """The price of `openai:<model>` or `anthropic:<model>`.

    `override` (TEACHER_PRICE: `input,output` or `input,output,cached`) wins over the file. Raises TeacherRefused if
    there is no price, or if `override` is malformed.
    """
    if override.strip():
        return _from_setting(override)
    table = _table()
    row = table["models"].get(model) or table["models"].get(SNAPSHOT.sub("", model))
    if row is None:
        raise TeacherRefused(
            f"no price is known for {model} (price table of {table['as_of']}). Set TEACHER_PRICE=input,output in US "
            "dollars per million tokens; TEACHER_PRICE=0,0 for a server of your own"
        )
    write = row.get("cache_write", row["input"])
    return Price(row["input"], row["output"], row["cached"], write, row.get("batch", 1.0), table["as_of"])


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


def _from_setting(override: str) -> Price:
    try:
        numbers = [float(part) for part in override.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or any(not 0 <= number < 1e6 for number in numbers):
        raise TeacherRefused(
            f"TEACHER_PRICE={override!r} is not a price; write input,output in US dollars per million tokens, "
            "for example 0.10,0.50"
        )
    cached = numbers[2] if len(numbers) == 3 else numbers[0]
    return Price(numbers[0], numbers[1], cached, numbers[0] * 1.25)
