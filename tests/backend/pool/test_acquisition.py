"""Scores and queues on both databases."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool import acquisition, tasks
from backend.pool.acquisition import Queue

STUDENT = "student-1-abcdef"


def test_scores_are_kept_by_version_and_a_newer_one_replaces(engine: sa.Engine) -> None:
    acquisition.save(engine, 7, STUDENT, {1: 0.25, 2: 0.5, 2**40: 1.0})
    acquisition.save(engine, 7, STUDENT, {2: 0.75})
    acquisition.save(engine, 7, "student-2-abcdef", {1: 0.0})
    acquisition.save(engine, 8, STUDENT, {1: 0.125})
    acquisition.save(engine, 7, STUDENT, {})
    assert acquisition.scores(engine, 7, STUDENT, [1, 2, 2**40, 9]) == {1: 0.25, 2: 0.75, 2**40: 1.0}
    assert acquisition.scores(engine, 7, STUDENT, []) == {}


def test_a_queue_keeps_its_order_and_is_replaced_as_a_whole(engine: sa.Engine) -> None:
    assert acquisition.line(engine, 7, "teacher") is None
    acquisition.line_up(engine, 7, "teacher", "", [5, 3, 9])
    acquisition.line_up(engine, 7, "people", STUDENT, [1])
    assert acquisition.line(engine, 7, "teacher") == Queue("", (5, 3, 9), 0)
    acquisition.mark_done(engine, 7, "teacher", STUDENT, 3)  # of another version: nothing happens
    acquisition.mark_done(engine, 7, "people", STUDENT, 1)
    assert acquisition.line(engine, 7, "teacher") == Queue("", (5, 3, 9), 0)
    assert acquisition.line(engine, 7, "people") == Queue(STUDENT, (1,), 1)
    acquisition.line_up(engine, 7, "people", STUDENT, [4, 2])
    assert acquisition.line(engine, 7, "people") == Queue(STUDENT, (4, 2), 0)


def test_a_deleted_task_has_no_score(engine: sa.Engine) -> None:
    tasks.add(engine, 7, {1: "one", 2: "two"})
    acquisition.save(engine, 7, STUDENT, {1: 0.25, 2: 0.5})
    tasks.remove(engine, 7, [1])
    assert acquisition.scores(engine, 7, STUDENT, [1, 2]) == {2: 0.5}
