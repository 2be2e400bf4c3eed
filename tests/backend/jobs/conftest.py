"""Pools with a promise that several files begin with: each is made by the first test of a session that asks for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend.jobs import finish, sync
from backend.projects.finishing import ask_to_finish
from tests.support.audits import TARGET, begin_audit, decide_all_that_is_asked
from tests.support.world import Kept, World

Once = Callable[[str, Callable[[World], None]], World]


@pytest.fixture(scope="session")
def begun() -> dict[str, Kept]:
    """What worlds held once they had begun, by name."""
    return {}


@pytest.fixture
def once(world: World, begun: dict[str, Kept], tmp_path_factory: pytest.TempPathFactory) -> Once:
    """The world begun in that way, or as another test had begun it."""

    def begin(name: str, how: Callable[[World], None]) -> World:
        world.set_options(TARGET_ERROR=TARGET)
        if name in begun:
            world.begin_with(begun[name])
        else:
            how(world)
            begun[name] = world.keep(tmp_path_factory.mktemp(name) / "data")
        return world

    return begin


@pytest.fixture
def audited(once: Once) -> World:
    """A student is served, and the audit of a promise of at most 10 % wrong labels has begun."""
    return once("audited", begin_audit)


@pytest.fixture
def done(once: Once) -> World:
    """A pool that is finished, with annotations."""

    def finished(world: World) -> None:
        once("audited", begin_audit)
        decide_all_that_is_asked(world)
        ask_to_finish(world.current, "annotations")
        finish.work(world.job("finish"))
        sync.work(world.job("sync"))

    return once("done", finished)
