"""How many calls run at once, with a clock of the test's own and with real threads."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.labels import LabelSpace
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers.anthropic import WAYS
from model.teacher.providers.dialect import Dialect
from model.teacher.providers.http import SLOW_SECONDS, TOO_SLOW, retry_after
from model.teacher.providers.openai import openai_dialect
from model.teacher.providers.provider import TIMEOUT, redact
from model.teacher.providers.throttle import Throttle, shared_throttle


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_success_adds_and_overload_takes_a_tenth() -> None:
    clock = Clock()
    throttle = Throttle(4, 8, clock)
    for _ in range(100):
        throttle.heard(200)
    assert throttle.limit == 8
    for _ in range(25):
        throttle.heard(429)  # a few among many are no reason
    assert throttle.limit == 8
    throttle.heard(429)
    assert throttle.limit == pytest.approx(7.2)
    throttle.heard(529)  # of the same burst
    assert throttle.limit == pytest.approx(7.2)
    clock.now += 1
    throttle.heard(503)
    assert throttle.limit == pytest.approx(6.48)


def test_it_doubles_until_the_first_cut_and_then_adds_one_per_round() -> None:
    clock = Clock()
    throttle = Throttle(4, 64, clock)
    for _ in range(4):
        throttle.heard(200)
    assert throttle.limit == 8
    throttle.heard(429)
    assert throttle.limit == 8  # one of five
    throttle.heard(429)
    assert throttle.limit == pytest.approx(7.2)
    throttle.heard(200)
    assert throttle.limit == pytest.approx(7.2 + 1 / 7.2)


@pytest.mark.parametrize("seconds", [0.5, 2.0, 5.0, 10.0, 20.0])
def test_a_server_that_answers_one_by_one_is_not_asked_until_all_time_out(seconds: float) -> None:
    clock = Clock()
    throttle = Throttle(4, 32, clock)
    begun: list[float] = []
    longest = 0.0
    for _ in range(500):
        begun += [clock.now] * (int(throttle.limit) - len(begun))
        clock.now += seconds
        took = clock.now - begun.pop(0)
        longest = max(longest, took)
        throttle.heard(200)
        if took > SLOW_SECONDS:
            throttle.heard(TOO_SLOW)
    assert longest < TIMEOUT
    assert throttle.limit >= 0.6 * min(32, SLOW_SECONDS / seconds)  # and it is not given up


def test_other_errors_change_nothing() -> None:
    throttle = Throttle(4, 8, Clock())
    for status in (400, 401, 404, 500):
        throttle.heard(status)
    assert throttle.limit == 4


@given(st.lists(st.sampled_from([200, 429, 500, 529]), max_size=60), st.integers(1, 9))
def test_the_limit_stays_between_one_and_the_most(heard: list[int], most: int) -> None:
    clock = Clock()
    throttle = Throttle(1, most, clock)
    for status in heard:
        throttle.heard(status, 1.0)
        clock.now += 2
        assert 1 <= throttle.limit <= most


def test_never_more_than_the_limit_at_once() -> None:
    throttle, lock, now, seen = Throttle(3, 3), threading.Lock(), [0], [0]

    def work(_: int) -> None:
        with throttle.slot():
            with lock:
                now[0] += 1
                seen[0] = max(seen[0], now[0])
            threading.Event().wait(0.001)
            with lock:
                now[0] -= 1

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(work, range(60)))
    assert 1 <= seen[0] <= 3
    assert throttle.running == 0


def test_a_place_is_given_back_after_an_error() -> None:
    throttle = Throttle(1, 1)
    with pytest.raises(KeyError), throttle.slot():
        raise KeyError
    with throttle.slot():
        assert throttle.running == 1


def test_nobody_begins_while_told_to_wait() -> None:
    throttle = Throttle(2, 2)
    throttle.heard(429, 0.05)
    with throttle.slot() as began:
        assert began >= throttle._not_before


def test_one_throttle_per_provider() -> None:
    assert shared_throttle("openai", "") is shared_throttle("openai", "")
    assert shared_throttle("openai", "") is not shared_throttle("anthropic", "")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after-ms": "50"}, 0.05),
        ({"retry-after": "Wed, 21 Oct 2026"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_dialect_gives_up_what_is_complained_about() -> None:
    dialect = Dialect(openai_dialect(official=True))
    wishes = {"schema": {"type": "object"}, "max_tokens": 5, "temperature": None}
    assert dialect.parameters(wishes)["reasoning_effort"] == "none"
    for effort in ("minimal", "low", None):
        said = "Unsupported value: 'reasoning_effort' does not support that with this model."
        assert dialect.degrade(dialect.version, said)
        assert dialect.parameters(wishes).get("reasoning_effort") == effort
    assert not dialect.degrade(dialect.version, "Unsupported value: 'reasoning_effort'")
    assert dialect.degrade(dialect.version, "'max_completion_tokens' is unknown, use 'max_tokens'")
    assert dialect.parameters(wishes)["max_tokens"] == 5
    assert dialect.degrade(dialect.version, "response_format is not supported")
    assert dialect.parameters(wishes)["response_format"] == {"type": "json_object"}
    assert "temperature" not in dialect.parameters(wishes)
    assert not dialect.degrade(dialect.version, "the text is too long")


def test_only_servers_of_ones_own_are_told_how_long_a_list_may_be() -> None:
    wishes = {"schema": Prompt(LabelSpace.of("abc"), Strategy.ALL, 2).schema()}

    def sent(dialect: Dialect) -> str:
        return json.dumps(dialect.parameters(wishes))

    assert "maxItems" not in sent(Dialect(openai_dialect(official=True))) + sent(Dialect(WAYS))
    local = Dialect(openai_dialect(official=False))
    assert '"maxItems": 2' in sent(local)
    assert local.degrade(local.version, "Unsupported keyword: maxItems")
    assert "maxItems" not in sent(local)
    assert '"enum"' in sent(local)


def test_an_old_complaint_changes_nothing() -> None:
    dialect = Dialect(openai_dialect(official=False))
    version = dialect.version
    assert dialect.degrade(version, "response_format")
    assert dialect.degrade(version, "response_format")
    assert dialect.version == version + 1


@pytest.mark.parametrize("key", ["sk-abcdef123456", "weird key with spaces"])
def test_messages_lose_their_keys(key: str) -> None:
    assert key not in redact(f"bad key {key}!\nagain {key}", key)
    assert len(redact("x" * 10_000)) == 300
