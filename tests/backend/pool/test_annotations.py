from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.pool import annotations
from backend.pool.annotation import Annotation, decide
from backend.pool.annotations import human_labels
from backend.pool.database.engine import now_ms
from model.labels import HumanLabel
from tests.support.events import fold, stories
from tests.support.processes import at_once, label
from tests.support.samples import PROJECT, TEACHER, add_project, labelled, moment, the_project

numbers = count(1000)


@pytest.fixture
def pool(engine: sa.Engine) -> sa.Engine:
    add_project(engine)
    return engine


def changes(engine: sa.Engine) -> int:
    return the_project(engine).changes


def test_an_annotation_is_kept_as_it_was_told(pool: sa.Engine) -> None:
    row = Annotation(
        2**40, 3, 17, ("billing", "refund"), "labelled", True, moment(1), TEACHER, ("refund", "billing"), 0.61
    )
    assert annotations.save(pool, PROJECT, [row]) == {3}
    assert annotations.of_tasks(pool, PROJECT, [3, 4]) == {3: [replace(row, shown_at=moment(1))]}


def test_a_changed_human_label_is_counted_once(pool: sa.Engine) -> None:
    before = now_ms()
    first = labelled(1, 3, "refund")
    assert annotations.save(pool, PROJECT, [first]) == {3}
    assert annotations.save(pool, PROJECT, [first]) == set()
    assert annotations.save(pool, PROJECT, [labelled(1, 3, "billing", at=2)]) == {3}
    assert annotations.save(pool, PROJECT, [first]) == set()
    assert changes(pool) == 2
    assert the_project(pool).changed_ms >= before


def test_an_update_that_leaves_the_label_is_no_change(pool: sa.Engine) -> None:
    annotations.save(pool, PROJECT, [labelled(1, 3, "refund")])
    assert annotations.save(pool, PROJECT, [labelled(1, 3, "refund", at=5)]) == set()
    assert annotations.save(pool, PROJECT, [labelled(2, 3, "refund", annotator=2)]) == set()
    assert annotations.of_tasks(pool, PROJECT, [3])[3][-1].updated_at == moment(5)
    assert changes(pool) == 1


def test_a_skip_and_an_empty_submission(pool: sa.Engine) -> None:
    skipped = Annotation(1, 3, 1, (), "skipped", False, moment(1))
    empty = Annotation(2, 4, 1, (), "empty", False, moment(1))
    assert annotations.save(pool, PROJECT, [skipped, empty]) == {3}
    assert human_labels(pool, PROJECT) == {3: HumanLabel(())}


def test_deleting(pool: sa.Engine) -> None:
    annotations.save(pool, PROJECT, [labelled(1, 3, "refund"), labelled(2, 3, "billing", annotator=2)])
    assert annotations.delete(pool, PROJECT, [1], moment(0)) == {3}
    assert annotations.delete(pool, PROJECT, [1], moment(9)) == set()
    assert human_labels(pool, PROJECT) == {3: HumanLabel(("billing",))}
    assert [row.state for row in annotations.of_tasks(pool, PROJECT)[3]] == ["labelled", "deleted"]


def test_a_deletion_that_overtakes_its_annotation(pool: sa.Engine) -> None:
    assert annotations.delete(pool, PROJECT, [1], moment(3)) == set()
    assert annotations.save(pool, PROJECT, [labelled(1, 3, "refund")]) == set()
    assert human_labels(pool, PROJECT) == {}
    assert changes(pool) == 0


def test_only_a_later_listing_brings_back_what_was_deleted_by_mistake(pool: sa.Engine) -> None:
    row, start = labelled(1, 3, "refund"), now_ms()
    annotations.delete(pool, PROJECT, [1], moment(50))
    assert annotations.save(pool, PROJECT, [row], listed_ms=start) == set()
    assert annotations.save(pool, PROJECT, [row], listed_ms=now_ms() + 1) == {3}
    assert human_labels(pool, PROJECT) == {3: HumanLabel(("refund",))}


@pytest.mark.parametrize(
    ("seen_ms", "expected"), [(0, "refund"), (-30_000, "refund"), (-120_000, "billing"), (3 * 3_600_000, "billing")]
)
def test_a_listing_overrules_what_was_seen_long_before_it(pool: sa.Engine, seen_ms: int, expected: str) -> None:
    """Label Studio's clock was set back, or (the last case) ours: the newer label bears the older time."""
    shown = replace(labelled(1, 3, "refund", at=50), shown_version=TEACHER, shown_labels=("refund",))
    annotations.save(pool, PROJECT, [shown])
    with pool.begin() as connection:
        connection.execute(sa.update(annotations.table).values(seen_ms=annotations.table.c.seen_ms + seen_ms))
    listed = labelled(1, 3, "billing", at=2)
    assert annotations.save(pool, PROJECT, [listed]) == set()
    assert annotations.save(pool, PROJECT, [listed], listed_ms=now_ms()) == ({3} if expected == "billing" else set())
    assert human_labels(pool, PROJECT) == {3: HumanLabel((expected,))}
    (row,) = annotations.of_tasks(pool, PROJECT, [3])[3]
    assert (row.shown_version, row.shown_labels) == (TEACHER, ("refund",))
    assert bool(annotations.seen_before(pool, PROJECT, [1], now_ms() + 120_000))


def test_nothing_at_all(pool: sa.Engine) -> None:
    assert annotations.save(pool, PROJECT, []) == set()
    assert annotations.delete(pool, PROJECT, [], moment(1)) == set()
    assert annotations.of_tasks(pool, PROJECT, []) == {}
    assert annotations.of_tasks(pool, PROJECT) == {}


def test_projects_do_not_mix(pool: sa.Engine) -> None:
    add_project(pool, 8)
    annotations.save(pool, PROJECT, [labelled(1, 3, "refund")])
    annotations.save(pool, 8, [labelled(1, 3, "billing")])
    assert human_labels(pool, 8) == {3: HumanLabel(("billing",))}
    assert human_labels(pool, PROJECT) == {3: HumanLabel(("refund",))}


def test_a_bulk_event(pool: sa.Engine) -> None:
    rows = [labelled(number, number, "refund") for number in range(1, 12_001)]
    assert len(annotations.save(pool, PROJECT, rows + rows[:10])) == 12_000
    assert len(annotations.delete(pool, PROJECT, range(1, 12_001), moment(9))) == 12_000
    assert changes(pool) == 24_000


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_order_of_events_gives_one_state(pool: sa.Engine, data: st.DataObject) -> None:
    """Events of several annotations of two tasks, delivered in two orders, in pieces, some of them twice."""
    told = [data.draw(stories(annotation=number, task=1 + number % 2)) for number in range(1, 5)]
    events = [event for story in told for event in story]
    states = []
    for _ in range(2):
        project = next(numbers)
        add_project(pool, project)
        changed = deliver(pool, project, data.draw(st.permutations(events + events[:3])), data.draw(st.integers(1, 5)))
        assert the_project(pool, project).changes == changed
        states.append(annotations.of_tasks(pool, project))
    assert states[0] == states[1]
    final = [row for story in told if (row := fold(story)).task]
    for task in (1, 2):
        assert decide(states[0].get(task, [])) == decide([row for row in final if row.task == task])


def deliver(engine: sa.Engine, project: int, events: list[Annotation], size: int) -> int:
    """Deliver in pieces, deletions as deletions; how many changes were told."""
    changed = 0
    for start in range(0, len(events), size):
        piece = events[start : start + size]
        for event in piece:
            if event.state == "deleted":
                changed += len(annotations.delete(engine, project, [event.annotation], event.updated_at))
        changed += len(annotations.save(engine, project, [event for event in piece if event.state != "deleted"]))
    return changed


def test_four_processes_deliver_the_same_events_and_each_change_counts_once(pool: sa.Engine, database_url: str) -> None:
    changed = at_once(4, label, database_url, 60)
    assert human_labels(pool, PROJECT) == {task: HumanLabel(("refund",)) for task in range(1, 61)}
    assert sum(changed) == changes(pool) == 60
