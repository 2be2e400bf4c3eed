"""Jobs of a real worker that wait at one of their steps until a test lets them go on, or kills them there."""

from __future__ import annotations

from pathlib import Path

from benchmarks.shared.waiting import wait_for

PATIENCE_SECONDS = 300
PROGRAM = """
import os
import time
from pathlib import Path

from backend.cli import main
from backend.jobs.run import Job

place = Path(os.environ["HOLD"])
said = Job.step


def step(self, text, progress=None):
    said(self, text, progress)
    asked, held = place / f"{self.kind}.asked", place / f"{self.kind}.held"
    if asked.exists() and asked.read_text() in text:
        asked.replace(held)
        while held.exists():
            time.sleep(0.01)


Job.step = step
main()
"""  # the worker forks its jobs, so that they inherit what is changed here


class Holding:
    """Asks jobs to wait. Each request holds one run, at the first of its steps that has these words in it."""

    def __init__(self, folder: Path) -> None:
        """`folder` lies beside the worker's log."""
        self.folder, self._log = folder, folder.parent / "worker.log"
        folder.mkdir(exist_ok=True)

    def ask(self, kind: str, words: str = "") -> None:
        """The next run of this kind waits; before the worker can come to that step."""
        growing = self.folder / "growing"
        growing.write_text(words)
        growing.replace(self.folder / f"{kind}.asked")

    def wait(self, kind: str) -> None:
        """Return when a job of this kind stands still; AssertionError as soon as a job failed for good."""

        def held() -> bool:
            said = self._log.read_text() if self._log.exists() else ""
            assert "job failed unexpectedly" not in said, said[-3000:]
            return self._held(kind).exists()

        wait_for(f"a held {kind}, see {self._log}", held, PATIENCE_SECONDS, 0.02)

    def release(self, kind: str) -> None:
        """Let the job go on, or forget the one that was killed."""
        self._held(kind).unlink()

    def _held(self, kind: str) -> Path:
        return self.folder / f"{kind}.held"
