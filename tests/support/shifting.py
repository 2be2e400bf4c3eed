"""The clock of real processes, set by a test while they run; the steady clocks go on, as they do on a real machine."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from pathlib import Path

LOOK_SECONDS = 0.02
FOLLOW = "from tests.support.shifting import follow\nfollow()\n"


class SetClock:
    """What a test holds: how far the processes' clocks are from the right time."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "clock"
        self.set_hours(0)

    def environment(self, begin: str = "") -> dict[str, str]:
        """What makes a process follow, and run `begin` before its program."""
        return {"CLOCK": str(self.place), "BEGIN": FOLLOW + begin}

    def set_hours(self, hours: float) -> None:
        """Set all clocks to the right time and so many hours; return when the processes have seen it."""
        growing = self.place.with_suffix(".growing")
        growing.write_text(str(hours * 3600))
        growing.replace(self.place)
        time.sleep(5 * LOOK_SECONDS)


def follow() -> None:
    """Have this process, and all that it forks, live by the clock that CLOCK names."""
    import time_machine

    place, applied = Path(os.environ["CLOCK"]), [0.0]
    travel = time_machine.travel(timedelta(0), tick=True).start()
    time.time()  # from here on it ticks

    def watch() -> None:
        while True:
            wanted = float(place.read_text())
            if wanted != applied[0]:
                travel.shift(wanted - applied[0])
                applied[0] = wanted
            time.sleep(LOOK_SECONDS)

    def begin() -> None:
        threading.Thread(target=watch, name="clock", daemon=True).start()

    os.register_at_fork(after_in_child=begin)
    begin()
