from __future__ import annotations

import re
from dataclasses import replace
from threading import Event, current_thread

import pytest
from sqlalchemy import event

from backend.pool import annotations, ledger, tasks
from backend.projects.updates import remember
from backend.reporting import kept as module
from backend.reporting.kept import kept
from backend.reporting.page_figures import insight
from backend.reporting.status import project_status
from model.teacher.base import Usage
from tests.support.label_studio_double import CONFIG
from tests.support.samples import labelled
from tests.support.world import CREATED, World


def never(*_: object) -> str:
    raise AssertionError("it was read again")


def test_figures_are_made_anew_only_after_a_change(world: World) -> None:
    made: list[int] = []

    def look(what: str = "figures") -> int:
        return kept(world.current, what, lambda: made.append(1) or len(made))

    assert [look(), look(), look("others"), look()] == [1, 1, 2, 1]
    tasks.add(world.engine, 7, {900: "new"})
    assert [look(), look()] == [3, 3]
    annotations.save(world.engine, 7, [labelled(1, 900, "refund")])
    assert [look(), look()] == [4, 4]


def test_a_further_look_reads_no_table_that_grows_with_tasks(world: World) -> None:
    ledger.settle(world.engine, 7, "llm-1", None, Usage(calls=1, microusd=400))
    first = project_status(world.current), insight(world.current)
    read: list[str] = []
    event.listen(world.engine, "before_cursor_execute", lambda *given: read.append(given[2]))
    assert (project_status(world.current), insight(world.current)) == first
    tables = "|".join(("tasks", "candidate_sets", "annotations", "predictions", "published", "ledger"))
    assert not [statement for statement in read if re.search(rf"(FROM|JOIN) ({tables})\b", statement)]
    ledger.settle(world.engine, 7, "llm-1", None, Usage(calls=1, microusd=600))
    assert project_status(world.current)["spend"]["usd"] == 0.001


def test_a_change_while_they_are_made_is_seen_by_the_next_look(world: World) -> None:
    def while_it_is_read() -> str:
        tasks.add(world.engine, 7, {900: "new"})
        return "old"

    assert kept(world.current, "figures", while_it_is_read) == "old"
    assert kept(world.current, "figures", lambda: "new") == "new"


def test_the_oldest_are_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    for what in ("a", "b", "c"):
        kept(world.current, what, lambda: 1)
    assert [kept(world.current, what, lambda: 2) for what in ("c", "a")] == [1, 2]


def test_dear_figures_are_made_anew_in_the_background(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEAR_SECONDS", -1.0)
    monkeypatch.setattr(module, "REST", 0)
    wait, made, threads = Event(), Event(), []

    def slow() -> str:
        threads.append(current_thread())
        wait.wait(60)
        made.set()
        return "new"

    assert kept(world.current, "figures", lambda: "old") == "old"
    tasks.add(world.engine, 7, {900: "new"})
    assert [kept(world.current, "figures", slow) for _ in range(3)] == ["old"] * 3
    wait.set()
    assert made.wait(60)
    (thread,) = threads
    thread.join()
    assert thread is not current_thread()
    assert kept(world.current, "figures", never) == "new"


def test_what_was_made_once_is_not_known_to_be_dear(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEAR_SECONDS", 0.0)
    kept(world.current, "figures", lambda: "old")
    tasks.add(world.engine, 7, {900: "new"})
    assert kept(world.current, "figures", lambda: "new") == "new", "its making may have loaded a library"


def test_dear_figures_are_late_by_a_minute_at_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEAR_SECONDS", -1.0)
    monkeypatch.setattr(module, "LATE_SECONDS", 0)
    kept(world.current, "figures", lambda: "old")
    tasks.add(world.engine, 7, {900: "new"})
    assert kept(world.current, "figures", lambda: "new") == "new"


def test_what_is_made_of_late_figures_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def outer() -> str:
        return kept(world.current, "outer", lambda: "of " + kept(world.current, "inner", lambda: "new"))

    kept(world.current, "inner", lambda: "old")
    tasks.add(world.engine, 7, {900: "new"})
    with monkeypatch.context() as patch:
        patch.setattr(module, "DEAR_SECONDS", -1.0)
        patch.setattr(module, "REST", 1e12)
        assert outer() == "of old"
    assert outer() == "of new"


def test_a_changed_option_shows_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEAR_SECONDS", -1.0)
    kept(world.current, "figures", lambda: "old")
    remember(world.services, 7, CREATED, CONFIG, extra_params={"MAX_CANDIDATES": 3})
    assert kept(world.current, "figures", lambda: "new") == "new"


def test_a_second_look_at_a_project_reads_no_decision(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = project_status(world.current)

    for name in ("students", "decided"):
        monkeypatch.setattr(f"backend.reporting.status.figures.{name}", never)
    assert project_status(world.current) == before
    assert project_status(replace(world.current)) == before
