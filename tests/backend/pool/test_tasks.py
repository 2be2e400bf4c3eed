from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.pool import annotations, candidates, figures, predictions, tasks
from backend.pool.text import text_hash
from tests.support.processes import add_tasks, at_once
from tests.support.samples import PROJECT, STUDENT, TEACHER, abstained, answered, labelled, unparsed

TEXTS = {3: "three", 1: "one", 2**40: "large id", 2: "two"}


def ask(engine: sa.Engine, *ids: int, version: str = TEACHER) -> None:
    """Let the teacher answer for the tasks as they are now."""
    texts = tasks.texts(engine, PROJECT, ids)
    rows = [(task, text_hash(text), answered("refund")) for task, text in texts.items()]
    candidates.save(engine, PROJECT, version, rows)


def missing(engine: sa.Engine, limit: int = 10, **options: object) -> list[int]:
    found = tasks.without_candidates(engine, PROJECT, TEACHER, limit, **options)  # type: ignore[arg-type]
    assert found == [(task, TEXTS[task]) for task, _ in found]
    return [task for task, _ in found]


def test_tasks_are_read_as_they_were_added(engine: sa.Engine) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    tasks.add(engine, PROJECT, {})
    assert tasks.texts(engine, PROJECT, [*TEXTS, 99]) == TEXTS
    assert tasks.count(engine, PROJECT) == 4
    assert tasks.count(engine, 8) == 0
    assert tasks.all_ids(engine, PROJECT) == [1, 2, 3, 2**40]


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 100])
def test_iterating(engine: sa.Engine, chunk: int) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    pages = list(tasks.iterate(engine, PROJECT, chunk))
    assert [pair for page in pages for pair in page] == sorted(TEXTS.items())
    assert all(len(page) <= chunk for page in pages)


def test_iterating_over_nothing(engine: sa.Engine) -> None:
    assert list(tasks.iterate(engine, PROJECT, 2)) == []


def test_the_hash_is_sha_256() -> None:
    assert text_hash("Grüße") == hashlib.sha256("Grüße".encode()).hexdigest()[:32]


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_stored_and_its_hash_found_again(engine: sa.Engine, text: str) -> None:
    tasks.add(engine, PROJECT, {1: text})
    kept = tasks.texts(engine, PROJECT, [1])[1]
    assert text_hash(kept) == text_hash(text)
    if text.isprintable():
        assert kept == text


def test_tasks_that_nobody_asked_about(engine: sa.Engine) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    assert missing(engine) == [1, 2, 3, 2**40]
    assert missing(engine, 2) == [1, 2]
    ask(engine, 2)
    assert missing(engine) == [1, 3, 2**40]
    assert missing(engine, 0) == []


def test_what_is_missing_before_the_place_of_the_last_search_is_found_after_the_rest(engine: sa.Engine) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    ask(engine, 1, 2)
    assert missing(engine, 1) == [3]
    tasks.add(engine, PROJECT, {1: "edited"})
    assert missing(engine) == [3, 2**40]
    ask(engine, 3, 2**40)
    assert tasks.without_candidates(engine, PROJECT, TEACHER, 10) == [(1, "edited")]
    ask(engine, 1)
    assert missing(engine) == []
    tasks.add(engine, PROJECT, {4: "new"})
    assert tasks.without_candidates(engine, PROJECT, TEACHER, 10) == [(4, "new")]


def test_any_answer_of_the_same_version_counts_and_none_of_another(engine: sa.Engine) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    rows = [(1, text_hash("one"), abstained()), (2, text_hash("two"), unparsed())]
    candidates.save(engine, PROJECT, TEACHER, rows)
    ask(engine, 3, version="teacher-other")
    assert missing(engine) == [3, 2**40]


def test_preferred_tasks_come_first(engine: sa.Engine) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    ask(engine, 2)
    assert missing(engine, prefer=[3, 2, 99, 1, 3]) == [3, 1, 2**40]
    assert missing(engine, 1, prefer=[3, 1]) == [3]
    assert missing(engine, 2, prefer=[2**40]) == [2**40, 1]


def test_an_edited_text_is_asked_again(engine: sa.Engine) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    ask(engine, *TEXTS)
    tasks.add(engine, PROJECT, {1: "edited", 2: "two"})
    assert tasks.without_candidates(engine, PROJECT, TEACHER, 10) == [(1, "edited")]
    tasks.add(engine, PROJECT, {1: "one"})
    assert missing(engine) == []


def test_removing_takes_everything_of_a_task(engine: sa.Engine) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    ask(engine, *TEXTS)
    annotations.save(engine, PROJECT, [labelled(1, 1, "refund"), labelled(2, 2, "refund")])
    rows = [(task, text_hash(text), "refund", 0.5) for task, text in TEXTS.items()]
    predictions.save(engine, PROJECT, STUDENT, rows)
    tasks.remove(engine, PROJECT, [1, 3, 99])
    tasks.remove(engine, PROJECT, [])
    assert tasks.all_ids(engine, PROJECT) == [2, 2**40]
    assert set(candidates.read(engine, PROJECT, TEACHER)) == {2, 2**40}
    assert set(annotations.of_tasks(engine, PROJECT)) == {2}
    assert set(predictions.read(engine, PROJECT, STUDENT)) == {2, 2**40}


def test_more_ids_than_a_statement_takes(engine: sa.Engine) -> None:
    """Both more ids and more values than the 65,535 parameters of PostgreSQL, and the 32,766 of SQLite."""
    ids = list(range(1, 70_001))
    there = {number: f"text {number}" for number in ids[::4]}
    tasks.add(engine, PROJECT, there)
    assert tasks.texts(engine, PROJECT, ids) == there
    assert len(tasks.without_candidates(engine, PROJECT, TEACHER, 80_000, prefer=ids)) == len(there)
    tasks.remove(engine, PROJECT, ids)
    assert tasks.count(engine, PROJECT) == 0


def test_four_processes_add_the_same_tasks(engine: sa.Engine, database_url: str) -> None:
    at_once(4, add_tasks, database_url, 1000)
    assert tasks.all_ids(engine, PROJECT) == list(range(1, 1001))


def test_a_task_without_text_is_counted_and_nothing_that_was_said_about_its_old_text_is_left(engine: sa.Engine) -> None:
    tasks.add(engine, PROJECT, TEXTS)
    ask(engine, 1, 2)
    annotations.save(engine, PROJECT, [labelled(1, 1, "refund")])
    tasks.add_textless(engine, PROJECT, [1, 77])
    tasks.add_textless(engine, PROJECT, [1])
    assert tasks.textless(engine, PROJECT) == {1, 77}
    assert tasks.texts(engine, PROJECT, [1, 2]) == {2: "two"}
    assert set(candidates.read(engine, PROJECT, TEACHER, [1, 2])) == {2}
    assert set(annotations.of_tasks(engine, PROJECT)) == {1}  # what people did stays
    tasks.add(engine, PROJECT, {1: "one again"})
    tasks.remove(engine, PROJECT, [77])
    assert tasks.textless(engine, PROJECT) == set()


def test_labels_that_there_are_not_are_counted_by_name(engine: sa.Engine) -> None:
    rows = [labelled(1, 1, "refund"), labelled(2, 2, "refund", "gone"), labelled(3, 3, "gone")]
    rows += [replace(labelled(4, 4), state="empty", unknown=("never", "gone"))]
    rows += [replace(labelled(5, 5), state="deleted", unknown=("never",))]
    annotations.save(engine, PROJECT, rows)
    assert annotations.of_tasks(engine, PROJECT)[4][0].unknown == ("never", "gone")
    found = figures.unknown_labels(engine, PROJECT, ["refund"])
    assert (found.annotations, found.labels) == (3, {"gone": 3, "never": 1})
