"""When to train, as a pure decision and on a real pool and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import ProjectError
from backend.pool import annotations, jobs, projects, tasks
from backend.pool.annotations import Annotation
from backend.projects import triggers
from backend.projects.triggers import training_due
from backend.queue.job_queue import JobQueue
from backend.services import Services
from backend.settings import Settings
from model.labels import LabelSpace

NOW = 1_800_000_000_000


def due(changes: int, trained: int = 0, silent_seconds: int = 0, after: int = 20, idle: int = 120, **more: bool):  # type: ignore[no-untyped-def]
    return training_due(
        changes,
        trained,
        changed_ms=NOW - silent_seconds * 1000,
        now=NOW,
        retrain_after=after,
        idle_seconds=idle,
        **more,
    )


@pytest.mark.parametrize(
    ("decision", "expected", "explanation"),
    [
        (due(0), False, "next training after 20 more labels"),
        (due(8, idle=0), False, "next training after 12 more labels"),
        (due(19, idle=0), False, "next training after 1 more label"),
        (due(8), False, "next training after 12 more labels, or after 120 seconds without a change"),
        (due(20), True, "20 labels since the last training"),
        (due(45, trained=25), True, "20 labels since the last training"),
        (due(1, silent_seconds=120), True, "1 label and then 120 seconds of silence"),
        (due(0, silent_seconds=9999), False, "next training after 20 more labels"),
        (due(500, running=True), False, "a training is under way; 500 labels so far for the next one"),
        (
            due(500, after=0, silent_seconds=999),
            False,
            "training starts only on request; 500 labels since the last one",
        ),
    ],
)
def test_decision_and_explanation(decision: triggers.Due, expected: bool, explanation: str) -> None:
    assert (decision.due, decision.explanation) == (expected, explanation)


def test_a_clock_that_was_set_back_stops_nothing_for_long() -> None:
    assert due(1, silent_seconds=-30).due is False
    assert due(1, silent_seconds=-3600).due is True


@given(
    changes=st.integers(0, 10**6),
    trained=st.integers(0, 10**6),
    silent=st.integers(-(10**6), 10**6),
    after=st.integers(0, 1000),
    idle=st.integers(0, 1000),
)
def test_never_due_without_news_and_always_with_enough(
    changes: int, trained: int, silent: int, after: int, idle: int
) -> None:
    found = due(changes, trained, silent, after, idle)
    new = max(0, changes - trained)
    if new == 0 or after == 0:
        assert not found.due
    elif new >= after:
        assert found.due
    assert found.explanation
    assert not due(changes, trained, silent, after, idle, running=True).due


@pytest.fixture
def services(redis_url: str, sqlite_engine: sa.Engine, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(
        _env_file=None, DATA_DIR=tmp_path, REDIS_URL=redis_url, RETRAIN_AFTER=2, RETRAIN_IDLE_SECONDS=60
    )
    queue = JobQueue(redis_url, sqlite_engine)
    projects.save_config(sqlite_engine, 7, "1", "tickets", "<View/>", LabelSpace.of(["a", "b"]), "", {})
    tasks.add(sqlite_engine, 7, {1: "one", 2: "two", 3: "three"})
    yield Services(settings, sqlite_engine, queue)
    queue.connection.close()


def decide(services: Services, task: int, label: str) -> None:
    row = Annotation(
        annotation=task,
        task=task,
        annotator=1,
        labels=(label,),
        state="labelled",
        ground_truth=False,
        updated_at="2026-11-21T05:43:14.889226Z",
        shown_version=None,
        shown_labels=None,
        shown_score=None,
    )
    annotations.save(services.engine, 7, [row])


def test_enough_human_labels_start_one_training(services: Services) -> None:
    decide(services, 1, "a")
    assert triggers.on_human_labels(services, 7).explanation.startswith("next training after 1 more label")
    assert services.queue.place("train", 7) == "absent"
    decide(services, 2, "b")
    assert triggers.on_human_labels(services, 7).due
    assert services.queue.place("train", 7) == "waiting"
    decide(services, 3, "b")
    assert triggers.on_human_labels(services, 7).explanation.startswith("a training is under way")
    assert services.queue.waiting()["train"] == 1


def test_a_project_overrides_when_it_trains(services: Services) -> None:
    space = LabelSpace.of(["a", "b"])
    projects.save_config(services.engine, 7, "1", "tickets", "<View/>", space, "", {"RETRAIN_AFTER": 3})
    decide(services, 1, "a")
    decide(services, 2, "b")
    assert triggers.on_human_labels(services, 7).due is False


def test_the_button_starts_a_training_at_once(services: Services) -> None:
    assert triggers.on_start_training(services, 7) == "queued"
    assert triggers.on_start_training(services, 7) == "joined"


def test_a_changed_label_config_and_new_tasks_are_for_the_teacher(services: Services) -> None:
    triggers.on_label_config(services, 7)
    triggers.on_new_tasks(services, 7)
    assert services.queue.waiting() == {"publish": 0, "train": 0, "teacher": 1}


def test_an_unknown_project_is_named(services: Services) -> None:
    with pytest.raises(ProjectError, match="project 8 is not known"):
        triggers.on_human_labels(services, 8)


def test_without_redis_a_label_still_counts_and_the_wish_is_kept(services: Services) -> None:
    lonely = Services(services.settings, services.engine, JobQueue("redis://127.0.0.1:1/0", services.engine))
    decide(services, 1, "a")
    decide(services, 2, "b")
    assert triggers.on_human_labels(lonely, 7).due
    assert jobs.get(services.engine, 7)["train"].state == "queued"


def test_a_paused_project_trains_nothing_and_says_so() -> None:
    found = due(500, paused=True)
    assert (found.due, found.explanation) == (
        False, "the project is paused, nothing is trained until it is resumed; 500 labels wait",
    )  # fmt: skip


def test_the_more_is_known_the_more_must_be_new() -> None:
    grown = {"retrain_after": 20, "idle_seconds": 0, "changed_ms": NOW, "now": NOW, "growth": 0.1}
    assert training_due(120, 100, **grown).due is True
    assert training_due(1020, 1000, **grown).explanation == "next training after 80 more labels"
    assert training_due(1100, 1000, **grown).due is True
