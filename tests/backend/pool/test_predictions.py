from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from backend.pool import annotations, predictions, publishing, tasks, text
from tests.support.samples import PROJECT, STUDENT, labelled

TEXTS = {1: "one", 2: "two", 3: "three", 4: "four"}
LABELS = {1: ("refund", 0.9), 2: ("billing", 0.25), 3: ("shipping", 1.0), 4: ("refund", 0.0)}


@pytest.fixture
def pool(engine: sa.Engine) -> sa.Engine:
    tasks.add(engine, PROJECT, TEXTS)
    rows = [(task, text.text_hash(TEXTS[task]), *LABELS[task]) for task in TEXTS]
    predictions.save(engine, PROJECT, STUDENT, rows)
    return engine


def waiting(engine: sa.Engine, limit: int = 10) -> list[int]:
    found = predictions.unpublished(engine, PROJECT, STUDENT, limit)
    assert all((label, score) == LABELS[task] for task, label, score in found)
    return [task for task, _, _ in found]


def publish(engine: sa.Engine, version: str, ids: list[int]) -> None:
    publishing.confirm(engine, PROJECT, version, publishing.intend(engine, PROJECT, version, ids))


def test_predictions_are_read_as_they_were_saved(pool: sa.Engine) -> None:
    everything = {task: (text.text_hash(TEXTS[task]), *LABELS[task]) for task in TEXTS}
    assert predictions.read(pool, PROJECT, STUDENT) == everything
    assert predictions.read(pool, PROJECT, STUDENT, [2, 99]) == {2: everything[2]}
    assert predictions.read(pool, PROJECT, STUDENT, []) == {}
    assert predictions.read(pool, PROJECT, "student-2-x") == {}


def test_newer_ones_replace(pool: sa.Engine) -> None:
    predictions.save(pool, PROJECT, STUDENT, [(1, "h", "billing", 0.1), (1, "h", "shipping", 0.2)])
    predictions.save(pool, PROJECT, STUDENT, [])
    assert predictions.read(pool, PROJECT, STUDENT, [1]) == {1: ("h", "shipping", 0.2)}


def test_what_label_studio_does_not_hold_yet(pool: sa.Engine) -> None:
    assert waiting(pool) == [1, 2, 3, 4]
    assert waiting(pool, 2) == [1, 2]
    publish(pool, STUDENT, [1, 3])
    publish(pool, STUDENT, [3])
    publish(pool, STUDENT, [])
    assert waiting(pool) == [2, 4]
    publish(pool, "student-2-x", [2])
    assert waiting(pool) == [2, 4]


def test_an_intent_is_not_sent_again_until_it_is_settled(pool: sa.Engine) -> None:
    publishing.intend(pool, PROJECT, STUDENT, [1, 2])
    assert waiting(pool) == [3, 4]
    publishing.confirm(pool, PROJECT, STUDENT, [1])
    publishing.withdraw(pool, PROJECT, STUDENT, [2])
    publish(pool, STUDENT, [3, 4])
    assert waiting(pool) == [2]


def test_what_was_given_away_is_not_sent_meanwhile(pool: sa.Engine) -> None:
    publishing.give(pool, PROJECT, STUDENT, [1, 3], until_ms=1_000)
    assert waiting(pool) == [2, 4]


def test_edited_and_deleted_tasks_are_left_out(pool: sa.Engine) -> None:
    tasks.add(pool, PROJECT, {2: "edited"})
    tasks.remove(pool, PROJECT, [3])
    assert waiting(pool) == [1, 4]


def test_dropping_what_nobody_saw_keeps_the_record_of_what_was_sent(pool: sa.Engine) -> None:
    predictions.save(pool, PROJECT, "student-2-x", [(1, "h", "refund", 0.5)])
    annotations.save(pool, PROJECT, [replace(labelled(2, 2, "billing"), shown_version=STUDENT, shown_labels=())])
    publish(pool, STUDENT, [1])
    predictions.drop_unseen(pool, PROJECT, STUDENT)
    assert set(predictions.read(pool, PROJECT, STUDENT)) == {2}
    assert set(predictions.read(pool, PROJECT, "student-2-x")) == {1}
    predictions.save(pool, PROJECT, STUDENT, [(1, text.text_hash("one"), *LABELS[1])])
    assert waiting(pool) == [2]
