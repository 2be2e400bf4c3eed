"""Wait for a condition on a real system."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: str, condition: Callable[[], T | None], seconds: float, pause: float = 0.25) -> T:
    """The first true value of `condition`; TimeoutError with `what` and what was seen last after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}; last seen: {value!r}")
        time.sleep(pause)
