"""How many calls run at once, with a clock of the test's own and with real threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.teacher.providers.http import SLOW_SECONDS, TOO_SLOW, retry_after
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
        ({"retry-after": "Wed, 21 Oct 2026 08:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 3600.0),
        ({"retry-after": "2026-10-21T08:28:00Z", "date": "Wed, 21 Oct 2026 08:27:50 GMT"}, 10.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 08:28:00 GMT"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"x-ratelimit-reset": "60"}, 60.0),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize("key", ["sk-abcdef123456", "weird key with spaces"])
def test_messages_lose_their_keys(key: str) -> None:
    assert key not in redact(f"bad key {key}!\nagain {key}", key)
    assert len(redact("x" * 10_000)) == 300
