import io
import threading
from collections.abc import Callable
from typing import Any

import pytest

from backend.commands.start import first_project
from backend.commands.start.console import Console
from backend.commands.start.first_project import follow


class Watched:
    """What Label Studio and Shortlist say, one look after the other."""

    def __init__(self, *looks: tuple[int, int, str]) -> None:
        self.looks = list(looks)
        self.said = io.StringIO()
        self.stopping = threading.Event()

    def counts(self) -> tuple[int, int]:
        return self.looks[0][0], 10

    def status(self) -> dict[str, Any]:
        _, thought, state = self.looks[0] if len(self.looks) == 1 else self.looks.pop(0)
        return {"with_candidates": thought, "job": {"state": state, "error": "no money left"}} if state else {}

    def follow(self, new: bool = False) -> str:
        follow(self.counts, self.status, Console(self.said), self.stopping, poll_seconds=0, new=new)
        return self.said.getvalue()


def test_progress_is_shown_until_every_task_has_a_shortlist() -> None:
    said = Watched((0, 0, "queued"), (0, 5, "running"), (5, 9, "running"), (10, 10, "idle")).follow()
    assert "Pre-annotating: 0 of 10 texts have a shortlist, 0 are in Label Studio" in said
    assert "First shortlists are in Label Studio" in said
    assert "Pre-annotated: 10 texts have a shortlist" in said


def test_a_second_start_says_nothing_about_it() -> None:
    assert Watched((10, 10, "idle")).follow() == ""
    assert Watched((10, 10, "idle")).follow(new=True) == "Pre-annotated: 10 texts have a shortlist\n"


def test_a_failed_job_ends_the_waiting_with_its_reason() -> None:
    assert "Pre-annotation stopped: no money left" in Watched((0, 3, "running"), (0, 3, "failed")).follow()


def test_waiting_ends_when_nothing_moves_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_project, "STILL_SECONDS", 0.0)
    said = Watched((4, 4, "running"), (4, 4, "idle")).follow()
    assert "4 of 10 texts have a shortlist; no job is under way for the others" in said


def test_a_server_that_is_slow_to_tell_does_not_end_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_project, "STILL_SECONDS", 0.0)
    said = Watched((4, 4, "running"), (4, 4, ""), (4, 4, ""), (10, 10, "idle")).follow()
    assert "Pre-annotated: 10 texts have a shortlist" in said


def test_waiting_ends_when_the_start_is_stopped() -> None:
    watched = Watched((0, 0, "running"))
    stop: Callable[[], None] = watched.stopping.set
    timer = threading.Timer(0.1, stop)
    timer.start()
    assert "Pre-annotated" not in watched.follow()
    timer.join()
