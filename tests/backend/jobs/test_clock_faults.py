"""The machine's clock is set forward and back by hours while web server and workers run."""

from __future__ import annotations

import os
import signal

from backend.jobs import sync
from backend.pool import versions
from benchmarks.shared.waiting import wait_for
from tests.support.checks import check_all_is_well, doubles, fill, in_label_studio, in_pool
from tests.support.holding import Holding
from tests.support.shifting import SetClock
from tests.support.web import Web, event, post_all, web
from tests.support.world import World

# a worker looks about it every second, not every ten: what is waited for here is waited for there in the same way
OFTEN = "import backend.queue.worker as w\nw.MAINTENANCE_SECONDS, w.WORKER_TTL_SECONDS = 1, 16\n"


def test_the_clock_is_set_forward_and_back(world: World) -> None:
    truth, clock = fill(world), SetClock(world.folder)
    holding = Holding(world.folder / "hold")
    holding.ask("train", "judging")
    world.services.queue.enqueue("sync", 7)
    idle = {"RETRAIN_IDLE_SECONDS": "7200"}
    first = world.start_worker(holding=holding, **clock.environment(OFTEN), **idle)
    workers = [first]
    try:
        with web(world, **clock.environment(), **idle) as server:
            holding.wait("train")
            os.kill(first.pid, signal.SIGSTOP)  # it cannot say that it lives: to the other it looks dead for hours
            clock.set_hours(5)
            workers.append(world.start_worker(holding=holding, **clock.environment(OFTEN), **idle))
            wait_for("a second run that is turned away", lambda: "another process is at it" in log(world), 240, 0.05)
            os.kill(first.pid, signal.SIGCONT)
            holding.release("train")
            world.await_student()
            once = trained(world)
            check_all_is_well(world, truth)
            assert told(server, "went forward by 5 h 0 min")
            shown = label(world, server, next(task for task in truth if not world.double.tasks[task]["annotations"]))
            world.double.faults["GET /api/tasks"] = [(503, {})]
            world.services.queue.enqueue("sync", 7)
            wait_for("a next try", lambda: world.services.queue.place("sync", 7) == "scheduled", 240, 0.02)
            clock.set_hours(-3)
            wait_for("a training after silence", lambda: trained(world) == once + 1 and world.at_rest(), 240, 0.05)
            world.await_student()
            status = server.status()
            assert told(server, "went back by 8 h 0 min")
            assert status["shown"]["student"]["tasks"] == shown
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGCONT)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(240) == 0
    assert in_pool(world) == in_label_studio(world)
    assert sync.synchronise(world.job("sync"), complete=True) == sync.Difference()
    assert doubles(world) == {}


def label(world: World, server: Web, task: int) -> int:
    """A person confirms what the student shows; how many such decisions are on record then."""
    version, row = world.project.served, world.double.tasks[task]
    world.double.annotate(task, ["refund"])
    (made,) = row["annotations"]
    prediction = {"model_version": version, "score": 0.9, "result": made["result"]}
    assert post_all(server.port, [event({**made, "prediction": prediction}, row)]) == [200]
    wait_for("the label", lambda: in_pool(world) == in_label_studio(world), 240, 0.02)
    return int(server.status()["shown"]["student"]["tasks"])


def told(server: Web, words: str) -> bool:
    return any(words in row["what"] for row in server.status()["incidents"])


def trained(world: World) -> int:
    """The number of versions, no two of which learned from the same."""
    rows = versions.list_versions(world.engine, 7)
    assert len({(row.human_labels, row.metrics["candidate_sets"]) for row in rows}) == len(rows)
    return len(rows)


def log(world: World) -> str:
    return (world.folder / "worker.log").read_text()
