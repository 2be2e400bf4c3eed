"""Free workers take parts of one job's work: nothing is asked or encoded twice, and what fails ends the part alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer

from backend.errors import ProjectError
from backend.jobs import embed
from backend.jobs.shards import Shards
from backend.pool import candidates, jobs, ledger, tasks
from backend.projects.disconnect import forget_project
from backend.queue.kinds import shard
from backend.training.encoder import project_embedder
from benchmarks.shared.waiting import wait_for
from tests.support.llm_server import OpenAIServer, Play, asked_text
from tests.support.world import World

TASKS = 300
WORKERS = 3
UP_FOR_MONTHS = """
import time
steady = time.monotonic
time.monotonic = lambda: steady() + 1e7
from backend.queue import worker
worker.MONITORING_SECONDS = 1
"""  # a machine that has run for longer than any job may; its workers look each second how long their job has


@pytest.fixture
def llm() -> Iterator[OpenAIServer]:
    """Answers after a fifth of a second, so that several workers have something to share."""
    server = HTTPServer(port=0, threaded=True)
    server.start()
    yield OpenAIServer(
        server, lambda text: json.dumps({"candidates": ["refund"]}), lambda text, asked: Play(seconds=0.2)
    )
    server.stop()


def paying(world: World, llm: OpenAIServer) -> dict[str, str]:
    """What workers are started with that ask this server, four questions at a time each."""
    ledger.set_cap(world.engine, 7, 10**9)
    return {"TEACHER": "openai:tiny-1", "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": llm.base_url,
            "TEACHER_PRICE": "1,2", "BUDGET_USD": "1000", "EXAMPLES": "none", "LLM_CONCURRENCY": "4",
            "BATCH": "off", "RETRAIN_AFTER": "0"}  # fmt: skip


def test_free_workers_ask_one_project_s_questions_together(world: World, llm: OpenAIServer) -> None:
    tasks.add(world.engine, 7, {number: f"message {number}" for number in range(1, TASKS + 1)})
    environment = paying(world, llm)
    for _ in range(WORKERS):
        world.start_worker("teacher", BEGIN=UP_FOR_MONTHS, **environment)
    wait_for("the workers", lambda: world.services.queue.idle("annotate") == WORKERS, 240)
    world.services.queue.enqueue("annotate", 7)

    def asked() -> int:
        return len({asked_text(body) for body in llm.requests})

    def killed() -> bool:
        return "killed" in (world.folder / "worker.log").read_text()

    wait_for(
        "all answers",
        lambda: killed() or (asked() == TASKS and ledger.totals(world.engine, 7).unsettled_microusd == 0),
        300,
    )
    assert not killed()
    assert Counter(Counter(asked_text(body) for body in llm.requests).values()) == {1: TASKS}
    assert llm.most_at_once > 4  # more than one worker's
    totals = ledger.totals(world.engine, 7)
    assert (totals.calls, totals.microusd) == (TASKS, TASKS * (100 * 1 + 10 * 2))
    wait_for("the end", lambda: jobs.get(world.engine, 7)["annotate"].state == "idle", 240)
    (version,) = _versions(world)
    assert candidates.figures(world.engine, 7, version).answered == TASKS
    log = (world.folder / "worker.log").read_text()
    assert re.search(r"part done.*ask_1", log), log[-3000:]


def _versions(world: World) -> set[str]:
    """The teacher versions that the pool has answers of."""
    with world.engine.connect() as connection:
        return set(connection.scalars(sa.text("SELECT DISTINCT version FROM candidate_sets")))


def test_a_part_is_begun_once_and_only_where_a_worker_is_free(world: World) -> None:
    job, queue = world.job("annotate"), world.services.queue
    Shards(job, "ask").spread()
    assert queue.waiting()["teacher"] == 0  # nobody is there
    world.start_worker("train")
    wait_for("the worker", lambda: queue.idle("train") == 1, 240)
    assert queue.idle("annotate") == 0  # it takes other work
    jobs.begin(world.engine, 7, "train")
    shards = Shards(world.job("train"), "embed")
    shards.spread()
    shards.spread()  # too soon
    assert queue.place(shard("embed", 2), 7) == "absent"


def test_nothing_is_forgotten_of_a_project_while_a_part_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = world.services.queue
    monkeypatch.setattr(queue, "place", lambda kind, project: "running" if kind == "ask_2" else "absent")
    with pytest.raises(ProjectError, match=r"under way \(ask_2\)"):
        forget_project(world.services, 7)


def test_a_part_encodes_what_the_training_has_not_come_to(world: World) -> None:
    texts = [f"message {number}" for number in range(40)]
    tasks.add(world.engine, 7, dict(enumerate(texts, start=1)))
    jobs.begin(world.engine, 7, "train")
    job, cache = world.job("embed"), project_embedder(world.current).cache
    assert "CACHE_DIR" in embed.work(job, 1)  # nothing is there that the training encoded
    cache.embed(texts[:5])
    assert embed.work(job, 1) == "35 texts were encoded by this and others"
    assert not cache.missing(texts)


def test_a_part_stops_with_its_training(world: World) -> None:
    texts = [f"message {number}" for number in range(40)]
    tasks.add(world.engine, 7, dict(enumerate(texts, start=1)))
    jobs.finish(world.engine, 7, "train")
    project_embedder(world.current).cache.embed(texts[:5])
    assert embed.work(world.job("embed"), 1) == "0 texts were encoded by this and others"


def test_a_long_training_fills_its_cache_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "FEWEST", 3)
    embedder = project_embedder(world.current)
    jobs.begin(world.engine, 7, "train")
    embed.fill(world.job("train"), embedder, ["a", "b", "c"])
    assert not embedder.cache.missing(["a", "b", "c"])
    assert "of 3 texts" in jobs.get(world.engine, 7)["train"].step
