"""Group commit: whoever returns has its rows written, in fewer writes than there are threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.pool.database.group_commit import Together


def test_everybody_returns_after_its_own_rows_are_written() -> None:
    written: dict[int, int] = {}
    writes: list[int] = []

    def write(rows: Mapping[int, int]) -> None:
        while not writes and len(rows) + len(together._waiting) < 16:  # the first write lasts until all others wait
            time.sleep(0.001)
        written.update(rows)
        writes.append(len(rows))

    together = Together(write)

    def put(number: int) -> bool:
        together.put({number: number * number})
        return written[number] == number * number

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(put, range(200)))
    assert sum(writes) == 200
    assert sum(writes[:2]) >= 16


def test_an_error_reaches_one_and_the_others_are_written_after_it() -> None:
    written: dict[int, int] = {}
    busy, failing = threading.Event(), [True]

    def write(rows: Mapping[int, int]) -> None:
        busy.wait(240)
        if failing[0]:
            failing[0] = False
            raise OSError("disk full")
        written.update(rows)

    together = Together(write)
    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(together.put, {number: number}) for number in range(4)]
        busy.set()
        errors = [future.exception() for future in futures]
    assert sum(error is not None for error in errors) == 1
    assert set(written) == {number for number, error in enumerate(errors) if error is None}
    with pytest.raises(ZeroDivisionError):
        Together[int, int](lambda rows: 1 // 0).put({1: 1})  # type: ignore[arg-type,return-value]
