"""States and figures in words."""

from __future__ import annotations

import pytest

from backend.pool.jobs import JobRow
from backend.reporting.wording import ago, interval, job_words, percent, phase_words, share, under_way, what_next
from model.evaluation import rate

STATUS = {
    "project": 7,
    "problem": None,
    "phase": "teacher",
    "answer": {"kind": "one"},
    "version": "teacher-a-b",
    "versions": [],
    "paused": False,
    "tasks": 10,
    "with_candidates": 7,
    "human_labels": 3,
    "jobs": [{"kind": "train", "state": "idle"}],
    "next_training": "next training after 17 more labels",
    "teacher": {"name": "offline similarity teacher (no LLM)", "stopped": None, "hint": None, "waiting": 3},
    "committee_hint": None,
    "frequencies_hint": None,
    "decided_by": None,
}


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "just now"),
        (30_000, "30 seconds ago"),
        (60_000, "1 minute ago"),
        (7_300_000, "2 hours ago"),
        (-5, "just now"),
    ],
)
def test_times(milliseconds: int, words: str) -> None:
    assert ago(milliseconds) == words


def test_what_is_not_known_is_said_to_be_so() -> None:
    assert percent(None) == interval(None) == "not known yet"
    assert interval(rate(9, 10)) == "90.0 % (95 % interval 60 to 98 %, 10 tasks)"
    assert [share(None, 0), share(2 / 3, 3), share(0.75, 20)] == ["not known yet", "2 of 3", "75.0 % of 20"]


def test_what_is_under_way() -> None:
    assert under_way({"kind": "train", "state": "queued"}) == "Training waits"
    assert under_way({"kind": "train", "state": "idle"}) == under_way({"kind": None, "state": "idle"})


def test_why_shortlists_are_shown() -> None:
    assert "no model was trained yet" in phase_words(STATUS)
    rejected = {"promoted": False, "state": "rejected", "reason": "0.7 is below 0.8"}
    assert "not good enough (0.7 is below 0.8)" in phase_words({**STATUS, "versions": [rejected]})
    assert "not supported" in phase_words({**STATUS, "problem": "no Choices"})


def test_what_happens_next_names_what_a_person_must_do() -> None:
    steps = what_next(STATUS)
    assert steps == ["Next training after 17 more labels", "The teacher is asked about 3 more tasks"]
    (_, reviews) = what_next({**STATUS, "decided_by": {"committee": 7, "unresolved": 3}})
    assert reviews == "The teacher is asked about 3 more tasks that the votes leave open"
    paused = what_next({**STATUS, "paused": True, "next_training": "the project is paused"})
    assert paused == ["The project is paused. Press Resume to go on"]
    assert "Retry" in what_next({**STATUS, "teacher": {**STATUS["teacher"], "stopped": "no money"}})[0]  # type: ignore[dict-item]
    assert "Training failed" in what_next({**STATUS, "jobs": [{"kind": "train", "state": "failed"}]})[0]
    assert "Label some tasks" in what_next({**STATUS, "human_labels": 0})[-1]
    aside = what_next({**STATUS, "student": {"set_aside": "80 labels of a sorted file"}})
    assert aside[0] == "Human labels are set aside: 80 labels of a sorted file"


def test_only_waiting_jobs_can_be_taken_back() -> None:
    for state, retry, cancel in (("queued", False, True), ("running", False, False), ("failed", True, False)):
        words = job_words(JobRow(7, "train", state, False, "", 0.5, "no disk", None, 0), 0)
        assert (words.can_retry, words.can_cancel, words.progress is not None) == (retry, cancel, state == "running")
