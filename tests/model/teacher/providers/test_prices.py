"""Prices: from the dated file, from the setting, never by default; usage adds up and is never below the bill."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.teacher.base import Answer, State, Usage
from model.teacher.errors import TeacherRefused
from model.teacher.providers.prices import Price, known_models, price_of, prices_as_of

tokens = st.integers(0, 10**6)
rates = st.sampled_from([0.0, 0.01, 0.1, 0.125, 0.5, 2.0, 30.0])


def test_a_known_model_has_the_price_of_the_file() -> None:
    price = price_of("anthropic:claude-haiku-5-5")
    assert (price.input, price.output, price.cached, price.cache_write) == (0.10, 0.50, 0.01, 0.125)
    assert price.as_of == prices_as_of()
    assert date.fromisoformat(price.as_of) <= date.today()


@pytest.mark.parametrize("name", ["openai:gpt-4o-mini-2024-07-18", "anthropic:claude-haiku-4-5-20251001"])
def test_a_dated_snapshot_has_the_price_of_its_model(name: str) -> None:
    assert price_of(name) in [price_of(known) for known in known_models() if name.startswith(known)]


def test_every_price_in_the_file_makes_sense() -> None:
    assert len(known_models()) > 10
    for model in known_models():
        price = price_of(model)
        assert 0 < price.cached <= price.input <= price.cache_write < price.output
        assert 0 < price.batch <= 1


@pytest.mark.parametrize("model", ["openai:my-own-model", "anthropic:claude-unknown", "similarity", "openai:"])
def test_an_unknown_model_needs_a_price(model: str) -> None:
    with pytest.raises(TeacherRefused, match="TEACHER_PRICE=input,output"):
        price_of(model)


def test_a_stated_price_is_for_models_without_one_or_for_the_one_that_it_names() -> None:
    assert price_of("openai:own", "0,0").bound(10**6, 10**6) == 0
    assert price_of("openai:own", "1,2,0.1").cached == 0.1
    assert price_of("openai:gpt-4o", "0,0") == price_of("openai:gpt-4o")  # a server of one's own makes nothing free
    both = " openai:gpt-4o = 1.5 , 2 ; openai:qwen3:8b=0,0; 7,8"
    assert price_of("openai:gpt-4o", both).input == 1.5
    assert price_of("openai:qwen3:8b", both).output == 0
    assert price_of("openai:another", both).input == 7
    with pytest.raises(TeacherRefused, match="no price is known for openai:another"):
        price_of("openai:another", "openai:own=0,0")


@pytest.mark.parametrize(
    "wrong", ["1", "a,b", "1,-2", "nan,1", "inf,1", "1,2,3,4", "1;2", "openai:own=", "openai:own=1", "0,0;b"]
)
def test_a_malformed_setting_is_refused(wrong: str) -> None:
    with pytest.raises(TeacherRefused, match="TEACHER_PRICE="):
        price_of("openai:gpt-4o", wrong)


@given(tokens, tokens, tokens, tokens, rates, rates, st.booleans())
def test_usage_is_the_bill_rounded_up(
    plain: int, cached: int, written: int, output: int, rate: float, out_rate: float, batch: bool
) -> None:
    price = Price(rate, out_rate, rate / 10, rate * 1.25, 0.5)
    usage = price.usage(plain + cached + written, output, cached, written, batch)
    exact = (plain * Fraction(rate) + cached * Fraction(rate / 10) + written * Fraction(rate * 1.25)
             + output * Fraction(out_rate)) * (Fraction(1, 2) if batch else 1)  # fmt: skip
    assert -Fraction(1, 10**5) < usage.microusd - exact < 1 + Fraction(1, 10**5)
    assert usage.microusd <= price.bound(plain + cached + written, output) + 1
    assert (usage.calls, usage.cached_tokens) == (1, cached)


def test_usage_adds_up() -> None:
    assert sum([Usage(1, 10, 5, 2, 7), Usage(1, 1, 1, 1, 1)], Usage()) == Usage(2, 11, 6, 3, 8)


def test_an_answer_has_candidates_exactly_when_it_was_answered() -> None:
    with pytest.raises(ValueError, match="contradict"):
        Answer(State.ANSWERED, None, "")
