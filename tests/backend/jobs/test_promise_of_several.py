"""Where several people answer each task, a promise is about their consensus."""

from __future__ import annotations

from dataclasses import replace

from backend.jobs import publish, sync
from backend.pool import annotations, certified, promises
from backend.pool.promises import Promise
from backend.reporting.certificate import changed_since, checks
from backend.reporting.promise import promise_status
from backend.reporting.report import report_html
from tests.backend.jobs.conftest import Once
from tests.support.audits import GOLD, begin_audit
from tests.support.world import World

OTHER = {"billing": "refund", "refund": "shipping", "shipping": "billing"}


def several(world: World) -> None:
    begin_audit(world, maximum_annotations=3)


def answer(world: World, asked: list[int], *people: int) -> None:
    """The third person is wrong about every other task, and the second skips the first one."""
    for place, task in enumerate(asked):
        for who in people:
            label = OTHER[GOLD[task]] if who == 3 and place % 2 == 0 else GOLD[task]
            world.double.annotate(task, [label], user=who, skipped=who == 2 and place == 0)
    sync.work(world.job("sync"))
    publish.work(world.job("publish"))


def promise_of(world: World) -> Promise:
    found = promises.get(world.engine, 7)
    assert found is not None
    return found


def test_an_audit_waits_for_all_people_and_goes_by_their_consensus(once: Once) -> None:
    world = once("several", several)
    asked = promises.unaudited(world.engine, 7)
    told = promise_status(world.current)
    assert told is not None
    assert "each by 3 people" in told["sentence"]
    answer(world, asked, 1)
    assert (promise_of(world).voices, promise_of(world).looks) == (3, 0)
    assert set(asked) <= set(promises.unaudited(world.engine, 7)), "two people more are waited for"
    answer(world, asked, 2, 3)
    for _ in range(8):
        if promise_of(world).certificate is None:
            answer(world, promises.asked_for(world.engine, 7), 1, 2, 3)
    made = promise_of(world).certificate
    assert made is not None
    assert made["voices"] == 3
    assert made["answers"] in report_html(world.current)

    rows = certified.rows(world.engine, 7, "audit")
    tied = annotations.human_labels(world.engine, 7)[asked[0]]
    assert len(tied.labels) == 2, "by a plain majority nothing is decided"
    assert {task: row.wrong for task, row in rows.items()} == {
        task: row.label != GOLD[task] for task, row in rows.items()
    }
    assert [name for name, said, again in checks(world.current, made) if said != again] == []
    assert changed_since(world.current) == 0
    all_rows = certified.rows(world.engine, 7)
    assert all_rows[asked[1]].votes == {"1": GOLD[asked[1]], "2": GOLD[asked[1]], "3": GOLD[asked[1]]}
    other = {"1": "refund" if all_rows[asked[1]].label != "refund" else "billing"}
    spoilt = replace(all_rows[asked[1]], votes={**all_rows[asked[1]].votes, **other, "2": other["1"]}, wrong=False)
    certified.replace_all(world.engine, 7, [*(all_rows | {asked[1]: spoilt}).values()])
    differs = {name for name, said, again in checks(world.current, made) if said != again}
    assert {"rows", "verdicts of several people"} <= differs
    certified.replace_all(world.engine, 7, all_rows.values())
    right = max(task for task, row in rows.items() if not row.wrong)
    for who in (1, 2):
        world.double.annotate(right, [OTHER[GOLD[right]]], user=who)
    sync.work(world.job("sync"))
    assert changed_since(world.current) == 1


def test_fewer_people_than_an_audit_waits_for_are_enough_once_nobody_else_is_asked(once: Once) -> None:
    world = once("several", several)
    done: set[int] = set()
    while new := [task for task in promises.asked_for(world.engine, 7) if task not in done]:
        answer(world, new, 1)
        done |= set(new)
    assert promise_of(world).looks == 0
    world.double.fields["maximum_annotations"] = 1
    publish.work(world.job("publish"))
    assert promise_of(world).voices == 1
    for _ in range(4):
        if promise_of(world).looks == 0:  # what scores choose in the place of what one person has decided
            answer(world, promises.asked_for(world.engine, 7), 1)
    assert promise_of(world).looks >= 1


def test_the_last_answer_that_an_audit_waits_for_has_it_looked_at_though_it_changes_no_label(once: Once) -> None:
    world = once("several", several)
    asked = promises.asked_for(world.engine, 7)
    for who in (1, 2):
        for task in asked:
            world.double.annotate(task, [GOLD[task]], user=who)
    sync.work(world.job("sync"))
    before = annotations.human_labels(world.engine, 7)
    world.services.queue.cancel("publish", 7)
    sync.work(world.job("sync"))
    assert not world.services.queue.cancel("publish", 7), "a third person is waited for"
    for task in asked:
        world.double.annotate(task, [GOLD[task]], user=3)
    sync.work(world.job("sync"))
    assert annotations.human_labels(world.engine, 7) == before
    assert world.services.queue.cancel("publish", 7)
