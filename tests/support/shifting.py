"""The clock of real processes, set by a test while they run; the steady clocks go on, as they do on a real machine."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import psutil

from benchmarks.shared.waiting import wait_for

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 240
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
        wanted = str(float(hours * 3600))
        growing = self.place.with_suffix(".growing")
        growing.write_text(wanted)
        growing.replace(self.place)
        wait_for("all clocks to be set", lambda: self._all_show(wanted), PATIENCE_SECONDS, LOOK_SECONDS)

    def _all_show(self, wanted: str) -> bool:
        marks = self.place.parent.glob(f"{self.place.name}-*")
        return all(mark.read_text() == wanted for mark in marks if _goes_on(int(mark.name.rpartition("-")[2])))


def _goes_on(number: int) -> bool:
    """Whether that process runs; one that was stopped sees no clock."""
    try:
        return psutil.Process(number).status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def follow() -> None:
    """Have this process, and all that it forks, live by the clock that CLOCK names."""
    import time_machine

    place, applied = Path(os.environ["CLOCK"]), [0.0]
    travel = time_machine.travel(timedelta(0), tick=True).start()
    time.time()  # from here on it ticks

    def watch() -> None:
        mark = place.with_name(f"{place.name}-{os.getpid()}")
        while True:
            wanted = float(place.read_text())
            if wanted != applied[0] or not mark.exists():
                travel.shift(wanted - applied[0])
                applied[0] = wanted
                mark.write_text(str(wanted))
            time.sleep(LOOK_SECONDS)

    def begin() -> None:
        threading.Thread(target=watch, name="clock", daemon=True).start()

    os.register_at_fork(after_in_child=begin)
    begin()
