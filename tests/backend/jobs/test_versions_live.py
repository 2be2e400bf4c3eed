"""Versions as web processes see them: rolled back within seconds, poisoned, and swapped fifty times."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import time
from pathlib import Path

import psutil
import pytest

from backend.jobs import publish
from backend.pool import tasks
from backend.serving.live.models import LiveStudents
from benchmarks.shared.waiting import wait_for
from model.registry import Registry
from tests.support import preloaded
from tests.support.students import store
from tests.support.web import web
from tests.support.world import World

TEXT = "shipping parcel late or lost, help"


def test_a_rollback_reaches_all_web_processes_and_is_published(world: World) -> None:
    (task,) = world.double.add_tasks([TEXT])
    url = world.services.settings.backend_url
    world.double.connections[500] = {"id": 500, "url": url, "title": "by hand", "state": "CO"}
    first, second = store(world, 1), store(world, 2)
    tasks.add(world.engine, 7, {task: TEXT})
    publish.work(world.job("publish"))
    assert world.double.connections[500]["title"] == second
    with web(world) as one, web(world) as other:
        for server in (one, other):
            server.await_answer("/ready")
            assert server.version() == second
            assert server.predict({9: TEXT})[0]["model_version"] == second
        command = [sys.executable, "-m", "backend", "rollback", "7"]
        done = preloaded.run(command, world.environment(), world.folder)
        assert f"serves {first} instead of {second}" in done.stdout
        for server in (one, other):
            assert server.version() == first
            server.await_answer("/ready")
            entry = server.predict({10: TEXT})[0]
            assert (entry["model_version"], entry["result"][0]["value"]["choices"]) == (first, ["shipping"])
    world.run_jobs()
    assert world.double.connections[500]["title"] == first
    assert world.double.versions_of(task) == [second, first]


@pytest.mark.parametrize("poison", ["weights", "pickle", "missing"])
def test_a_poisoned_version_is_named_and_nobody_is_blocked(world: World, poison: str, tmp_path: Path) -> None:
    """Its folder is damaged on disk: the tasks get empty entries, nothing of it runs, /ready says which and why."""
    version = store(world, 1)
    folder = world.services.registry.fetch(7, version)
    if poison == "missing":
        shutil.rmtree(folder)
    else:
        bomb = f"cos\nsystem\n(S'touch {tmp_path / 'exploded'}'\ntR.".encode()
        (folder / "student.safetensors").write_bytes(bomb if poison == "pickle" else b"\x00" * 100)
    with web(world) as server:
        assert server.version() == version
        assert server.predict({1: TEXT}) == [[]]
        answer = wait_for("the reason", lambda: _reason(server.await_answer("/ready", 503).json()), 240)
        assert f"{version} cannot be loaded: " in answer
        status = server.status()
        assert (status["version"], status["not_loaded"]) == (version, answer.partition("cannot be loaded: ")[2])
        assert server.predict({1: TEXT}) == [[]]
    assert not (tmp_path / "exploded").exists()
    (task,) = world.double.add_tasks([TEXT])
    tasks.add(world.engine, 7, {task: TEXT})
    publish.work(world.job("publish"))
    assert world.services.queue.place("train", 7) == "waiting", "another student replaces it"


def _reason(answer: dict[str, str]) -> str | None:
    return answer["students"] if "cannot be loaded" in answer["students"] else None


def test_fifty_swaps_hold_no_memory_and_no_request_waits(world: World) -> None:
    names = [store(world, number) for number in range(1, 53)]
    settings = world.services.settings
    live = LiveStudents(Registry(settings.model_dir, settings.cache_dir / "fetched"))
    process, held = psutil.Process(os.getpid()), []
    gc.freeze()  # what stood before need not be looked through fifty times
    deadline = time.monotonic() + 3600
    for before, version in zip([None, *names], names, strict=False):
        while (coming := live.get(7, version)) is None:
            old = live.get(7, before) if before else None
            assert before is None or old is not None, "the old version answers until the new one is loaded"
            time.sleep(0.005)
        assert coming.answers([TEXT], deadline)[0][0] == "shipping"
        gc.collect()
        held.append(process.memory_info().rss)
    gc.unfreeze()
    assert len(live.loaded()) <= 2
    assert held[-1] - held[1] < 30e6, f"{(held[-1] - held[1]) / 1e6:.0f} MB more after 50 swaps"
    live.close()
