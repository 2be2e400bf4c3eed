"""Who decided, on both databases."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from backend.pool import annotations, candidates, predictions, rulings, tasks, text
from backend.pool.figures import Checked
from tests.support.samples import PROJECT, TEACHER, abstained, add_project, labelled

VERSION = "committee-1-abcdef"


def test_sources_are_counted_replaced_and_dropped_by_version(engine: sa.Engine) -> None:
    rulings.save(engine, 7, VERSION, {1: "committee", 2: "unresolved", 2**40: "unresolved"})
    rulings.save(engine, 7, VERSION, {2: "llm"})
    rulings.save(engine, 7, "committee-2-abcdef", {1: "fallback"})
    rulings.save(engine, 8, VERSION, {1: "unresolved"})
    assert rulings.counts(engine, 7, VERSION) == {"committee": 1, "llm": 1, "unresolved": 1}
    assert rulings.of_source(engine, 7, VERSION, "unresolved") == {2**40}
    rulings.drop(engine, 7, VERSION)
    assert rulings.counts(engine, 7, VERSION) == {}
    assert rulings.counts(engine, 7, "committee-2-abcdef") == {"fallback": 1}


def test_answers_without_a_ruling_get_one(engine: sa.Engine) -> None:
    predictions.save(engine, 7, VERSION, [(task, "h", "refund", 0.9) for task in (1, 2, 3)])
    rulings.save(engine, 7, VERSION, {2: "unresolved"})
    rulings.fill(engine, 7, VERSION, "committee")
    rulings.fill(engine, 7, VERSION, "committee")
    assert rulings.counts(engine, 7, VERSION) == {"committee": 2, "unresolved": 1}


def test_what_people_labelled_is_counted_as_theirs(engine: sa.Engine) -> None:
    add_project(engine)
    rulings.save(engine, PROJECT, VERSION, dict.fromkeys((1, 2, 3), "committee"))
    skipped = replace(labelled(12, 2), state="skipped")
    annotations.save(engine, PROJECT, [labelled(10, 1, "refund"), labelled(11, 1, "billing"), skipped])
    assert rulings.counts(engine, PROJECT, VERSION) == {"committee": 2}


def test_what_waits_for_the_teacher_is_open_and_unasked(engine: sa.Engine) -> None:
    add_project(engine)
    rulings.save(engine, PROJECT, VERSION, {**dict.fromkeys((1, 2, 3, 4), "unresolved"), 5: "committee"})
    tasks.add(engine, PROJECT, {1: "a text"})
    candidates.save(engine, PROJECT, TEACHER, [(1, text.text_hash("a text"), abstained())])
    annotations.save(engine, PROJECT, [labelled(10, 2, "refund")])
    assert rulings.unasked(engine, PROJECT, VERSION, TEACHER) == 2
    assert rulings.unasked(engine, PROJECT, VERSION, "teacher-another") == 3


def test_deciders_are_judged_by_what_stood_in_the_form(engine: sa.Engine) -> None:
    add_project(engine)
    rulings.save(engine, PROJECT, VERSION, {1: "committee", 2: "committee", 3: "llm", 4: "unresolved", 5: "committee"})
    saw = {1: ("refund",), 2: ("billing",), 3: ("refund",), 4: ("billing", "refund"), 5: ()}
    rows = [labelled(task, task, "refund") for task in saw]
    shown = [replace(row, shown_version=VERSION, shown_labels=saw[row.task]) for row in rows]
    other = replace(labelled(20, 3, "refund", at=9), shown_version="student-1-abcdef", shown_labels=("billing",))
    annotations.save(engine, PROJECT, [*shown, other])
    found = rulings.checked(engine, PROJECT)
    assert found == {"committee": Checked(2, 1, 1), "llm": Checked(1, 1, 1), "unresolved": Checked(1, 0, 1)}
