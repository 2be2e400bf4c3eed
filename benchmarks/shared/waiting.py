"""Wait for a condition on a real system."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LONGEST_PAUSE = 0.5


def wait_for(what: str, condition: Callable[[], T | None], seconds: float, pause: float = 0.25) -> T:
    """The first true value of `condition`; TimeoutError with `what` and what was seen last after `seconds`.

    It looks again after `pause` seconds, later less often (after a twentieth of what it has waited, at most half a
    second): who asks keeps others from working.
    """
    began = time.monotonic()
    end = began + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}; last seen: {value!r}")
        time.sleep(max(pause, min(LONGEST_PAUSE, (time.monotonic() - began) / 20)))
