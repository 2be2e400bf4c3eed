"""Decisions that are worth a second look: equal texts first, and what was looked at does not come back."""

from __future__ import annotations

import itertools

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.jobs import sync
from backend.pool import doubts, tasks
from backend.pool.doubts import Doubt
from backend.reporting.report import report_html
from backend.reporting.second_look import looks, second_look
from backend.training.second_look import WEARY, note_doubts
from backend.training.snapshot import read_snapshot
from tests.support.world import MESSAGES, World

OPENINGS = ("", "hello, ", "for the third time: ", "dear team, to be honest, ", "sorry to bother you on a sunday, ",
            "my wife asked me to write this: ", "good morning from sweden. ")  # fmt: skip
ENDINGS = ("", ", as I told you on the phone", ", and nobody answers my mails", ". thanks a lot for your help!")
ROWS = [
    (f"{opening}{text}{ending}", label)
    for label, texts in MESSAGES.items()
    for text, opening, ending in itertools.product(texts, OPENINGS, ENDINGS)
]
NEXT = {"billing": "refund", "refund": "shipping", "shipping": "billing"}
WRONG = range(5, 395, 30)  # tasks that people decided wrongly
TWINS = (1, len(ROWS) + 1)  # the same text, decided differently


@pytest.fixture
def decided(world: World) -> World:
    """Every task is decided, some wrongly, and one text differently the second time."""
    rows = [*ROWS, (ROWS[0][0].upper(), NEXT[ROWS[0][1]])]
    texts = [text for text, _ in rows]
    tasks.add(world.engine, 7, dict(zip(world.double.add_tasks(texts), texts, strict=True)))
    for task, (_, label) in enumerate(rows, 1):
        world.double.annotate(task, [NEXT[label] if task in WRONG else label])
    look_again(world)
    return world


def look_again(world: World) -> None:
    sync.work(world.job("sync"))
    job = world.job("train")
    note_doubts(job, read_snapshot(job))


def waiting(world: World) -> list[int]:
    return [row["task"] for row in second_look(world.current)["decisions"]]


def equal(world: World) -> list[int]:
    return [row["task"] for row in second_look(world.current)["decisions"] if row["why"] == "twins"]


def resubmit(world: World, task: int, labels: list[str]) -> None:
    row = world.double.tasks[task]["annotations"][0]
    row["result"][0]["value"] = {"choices": labels}
    row["updated_at"] = world.double.time()
    world.double.tasks[task]["updated_at"] = world.double.time()
    sync.work(world.job("sync"))


def test_what_was_looked_at_does_not_come_back_and_is_counted(decided: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = waiting(decided)
    assert set(TWINS) <= set(equal(decided)) == set(first[: len(equal(decided))])
    assert len(set(first) & set(WRONG)) >= 10
    mine, other, third = [task for task in first if task in WRONG][:3]
    label = ROWS[mine - 1][1]
    shown = {one.task: one for one in looks(decided.current, len(first))}
    assert (shown[mine].labels, shown[mine].said) == ((NEXT[label],), (label,))
    assert shown[mine].similar
    assert mine not in {one.task for one in shown[mine].similar}

    resubmit(decided, mine, [label])  # changed
    resubmit(decided, other, [NEXT[ROWS[other - 1][1]]])  # submitted again as it was
    assert doubts.confirm(decided.engine, 7, third) == 1
    assert not {mine, other, third} & set(waiting(decided))
    found = second_look(decided.current)
    assert (found["looked"], found["changed"]) == (3, 1)
    assert "Of 3 looked at so far, 1 was changed" in found["sentence"]
    look_again(decided)
    assert not {mine, other, third} & set(waiting(decided))
    assert set(waiting(decided)) >= (set(first) & set(WRONG)) - {mine, other, third}
    assert second_look(decided.current)["looked"] == 3
    assert "1 was changed" in report_html(decided.current)
    for name, value in decided.environment().items():
        monkeypatch.setenv(name, value)
    the_command_lists_them_and_takes_what_is_right(decided)
    another_text_is_another_doubt(decided, third)
    after_many_confirmed_ones_only_stronger_doubts_are_told(decided)


def another_text_is_another_doubt(world: World, confirmed: int) -> None:
    tasks.add(world.engine, 7, {confirmed: ROWS[confirmed - 1][0] + ". regards"})
    job = world.job("train")
    note_doubts(job, read_snapshot(job))
    assert confirmed in waiting(world)


def after_many_confirmed_ones_only_stronger_doubts_are_told(world: World) -> None:
    some = [task for task in range(40, 90) if task not in WRONG][:WEARY]
    texts = tasks.hashes(world.engine, 7, some)
    rows = [Doubt(task, texts[task], (ROWS[task - 1][1],), ("other",), "others", 0.0) for task in some]
    doubts.renew(world.engine, 7, rows)
    for task in some:
        assert doubts.confirm(world.engine, 7, task)
    look_again(world)
    assert waiting(world) == equal(world)


def test_nothing_but_equal_texts_is_doubted_before_there_are_enough_labels(world: World) -> None:
    rows = [*ROWS[::4], (ROWS[0][0], "shipping")]
    texts = [text for text, _ in rows]
    tasks.add(world.engine, 7, dict(zip(world.double.add_tasks(texts), texts, strict=True)))
    for task, (_, label) in enumerate(rows, 1):
        world.double.annotate(task, [NEXT[label] if task == 9 else label])
    look_again(world)
    assert set(waiting(world)) == {1, len(rows)}


def the_command_lists_them_and_takes_what_is_right(decided: World) -> None:
    first = waiting(decided)
    told = CliRunner().invoke(app, ["doubts", "7"])
    assert told.exit_code == 0, told.output
    assert f"data?task={first[0]}" in told.output
    assert CliRunner().invoke(app, ["doubts", "7", "--right", str(first[0]), "--json"]).exit_code == 0
    assert first[0] not in waiting(decided)
    again = CliRunner().invoke(app, ["doubts", "7", "--right", str(first[0])])
    assert "waits for a second look" in str(again.exception)
