"""The record of what Label Studio holds, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.pool import candidates, held, predictions, projects, publishing, tasks, text
from model.labels import CandidateSet, LabelSpace
from model.teacher.base import Answer, State

TEACHER, STUDENT = "teacher-0a1b2c-abcdef", "student-1-abcdef"
NOW = 1_000  # UTC milliseconds


@pytest.fixture
def pool(engine: sa.Engine) -> sa.Engine:
    projects.save_config(engine, 7, "1", "tickets", "<View/>", LabelSpace.of(["a", "b"]), "", {})
    tasks.add(engine, 7, {task: f"text {task}" for task in range(1, 6)})
    return engine


def answer(task: int, state: State = State.ANSWERED) -> tuple[int, str, Answer]:
    found = CandidateSet(("a",)) if state is State.ANSWERED else None
    return task, text.text_hash(f"text {task}"), Answer(state, found, "")


def test_an_intent_is_open_until_it_is_confirmed_or_withdrawn(pool: sa.Engine) -> None:
    publishing.intend(pool, 7, STUDENT, [1, 2, 3, 3])
    publishing.confirm(pool, 7, STUDENT, [1])
    publishing.withdraw(pool, 7, STUDENT, [2])
    assert publishing.unconfirmed(pool, 7, NOW) == {STUDENT: {3}}
    assert publishing.intend(pool, 7, STUDENT, [1, 2, 3]) == {2}  # the others are on record
    assert publishing.unconfirmed(pool, 7, NOW) == {STUDENT: {2, 3}}
    publishing.settle(pool, 7, STUDENT, {2}, {3}, NOW)
    assert publishing.unconfirmed(pool, 7, NOW) == {}
    assert publishing.intend(pool, 7, STUDENT, [1, 2, 3]) == {3}
    publishing.intend(pool, 7, STUDENT, [])


def test_candidates_that_were_not_sent_are_found(pool: sa.Engine) -> None:
    candidates.save(pool, 7, TEACHER, [answer(1), answer(2), answer(3, State.ABSTAINED), answer(4)])
    tasks.add(pool, 7, {4: "edited since"})
    assert publishing.unsent_candidates(pool, 7, TEACHER) == [1, 2]
    publishing.intend(pool, 7, TEACHER, [1])
    assert publishing.unsent_candidates(pool, 7, TEACHER) == [2]
    publishing.withdraw(pool, 7, TEACHER, [1])
    assert publishing.unsent_candidates(pool, 7, TEACHER) == [1, 2]


def test_tasks_that_a_student_has_not_seen_are_found(pool: sa.Engine) -> None:
    seen = [(task, text.text_hash(f"text {task}"), "a", 0.5) for task in (1, 2, 3)]
    predictions.save(pool, 7, STUDENT, seen)
    tasks.add(pool, 7, {3: "edited since"})
    assert publishing.unanswered(pool, 7, STUDENT) == [3, 4, 5]


def test_many_ids_are_no_problem(pool: sa.Engine) -> None:
    many = range(1, 3 * publishing.CHUNK)
    publishing.intend(pool, 7, STUDENT, many)
    publishing.confirm(pool, 7, STUDENT, many)
    assert publishing.unconfirmed(pool, 7, NOW) == {}


def test_what_was_given_away_is_asked_about_in_time_and_by_version(pool: sa.Engine) -> None:
    publishing.give(pool, 7, STUDENT, [], until_ms=NOW)
    publishing.give(pool, 7, STUDENT, [1, 1, 2], until_ms=NOW)
    publishing.give(pool, 7, TEACHER, [1], until_ms=NOW)
    publishing.give(pool, 7, TEACHER, [2], until_ms=NOW + 1)
    assert publishing.unconfirmed(pool, 7, NOW - 1) == {}
    assert publishing.unconfirmed(pool, 7, NOW) == {STUDENT: {1, 2}, TEACHER: {1}}
    assert publishing.intend(pool, 7, STUDENT, [1, 2, 3]) == {3}


def test_what_was_given_away_before_the_clock_was_set_back_is_not_open_for_years(pool: sa.Engine) -> None:
    publishing.give(pool, 7, STUDENT, [1, 2], until_ms=NOW + publishing.LONGEST_MS + 1)
    publishing.give(pool, 7, STUDENT, [3], until_ms=NOW + publishing.LONGEST_MS)
    assert publishing.unconfirmed(pool, 7, NOW) == {STUDENT: {1, 2}}
    publishing.settle(pool, 7, STUDENT, {1}, {2}, NOW)
    assert publishing.unconfirmed(pool, 7, NOW) == {}
    assert publishing.intend(pool, 7, STUDENT, [1, 2, 3]) == {2}


def test_a_row_that_is_sent_and_given_away_at_once_stays_open(pool: sa.Engine) -> None:
    publishing.intend(pool, 7, STUDENT, [1, 2])
    publishing.give(pool, 7, STUDENT, [1, 2], until_ms=NOW)
    publishing.confirm(pool, 7, STUDENT, [1])
    publishing.withdraw(pool, 7, STUDENT, [2])
    assert publishing.unconfirmed(pool, 7, NOW) == {STUDENT: {1, 2}}
    publishing.give(pool, 7, STUDENT, [1], until_ms=NOW + 1)
    publishing.settle(pool, 7, STUDENT, {1, 2}, set(), NOW)  # the first was given away once more since
    assert publishing.unconfirmed(pool, 7, NOW + 1) == {STUDENT: {1}}


def test_the_versions_of_which_rows_are_held_are_found_by_one_statement(pool: sa.Engine) -> None:
    assert held.versions(pool, 7) == set()
    for number in (3, 1, 20):
        publishing.intend(pool, 7, f"student-{number}-abcdef", [1, 2])
    publishing.intend(pool, 8, "student-9-abcdef", [1])
    publishing.give(pool, 7, "student-4-abcdef", [1], NOW)  # Label Studio may still be storing it
    assert held.versions(pool, 7) == {f"student-{number}-abcdef" for number in (1, 3, 20)}
    held.forget(pool, 7, ["student-1-abcdef"], None)
    assert held.versions(pool, 7) == {"student-3-abcdef", "student-20-abcdef"}
