"""The web server as a process: killed under load, flooded, without Redis; what was lost, a comparison finds."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from backend.jobs import sync
from backend.pool.database.engine import write
from backend.queue.job_queue import JobQueue
from backend.services import Services
from benchmarks.shared.waiting import wait_for
from tests.support.checks import in_label_studio, in_pool
from tests.support.servers import RedisServer
from tests.support.web import event, post_all, web
from tests.support.world import World

SENDERS = 8
LABELS = ["billing", "refund", "shipping"]
MALFORMED = [b"", b"{", b"[]", b'"x"', b"\xff\xfe\x00", b'{"action": 7}', b"[" * 20_000,
             b'{"action": "ANNOTATION_CREATED", "project": {"id": 7}, "annotation": [{"id": -1}], "task": 5}',
             b'{"action": "ANNOTATIONS_DELETED", "project": {"id": 7}, "annotations": [null, "x"]}']  # fmt: skip


def shuffled(items: list[bytes], seed: int) -> list[bytes]:
    random.Random(seed).shuffle(items)
    return items


def flood(port: int, bodies: list[bytes]) -> list[int]:
    """Send all of them from several connections; their status codes."""
    with ThreadPoolExecutor(SENDERS) as pool:
        parts = pool.map(lambda place: post_all(port, bodies[place::SENDERS]), range(SENDERS))
        return [status for part in parts for status in part]


def test_a_web_server_killed_under_load_loses_nothing_in_the_end(world: World) -> None:
    ids = world.double.add_tasks([f"text {number}" for number in range(400)])
    sync.synchronise(world.job("sync"), complete=True)  # nobody labelled yet: what the next look finds is news
    for place, task in enumerate(ids):
        world.double.annotate(task, [LABELS[place % 3]])
    bodies = [event(row, task) for task in world.double.tasks.values() for row in task["annotations"]]
    everybody = threading.Barrier(SENDERS)
    with web(world) as server:

        def send(place: int) -> list[int]:
            own = bodies[place::SENDERS]
            before = post_all(server.port, own[:10])
            everybody.wait(240)
            if place == 0:  # while the others go on
                wait_for("the first events", lambda: in_pool(world), 240, 0.01)
                server.kill()
            return before + post_all(server.port, own[10:])

        with ThreadPoolExecutor(SENDERS) as pool:
            statuses = list(pool.map(send, range(SENDERS)))
        assert statuses[0] == [200] * 10 + [0] * 40
        server.start_again()
        known = in_pool(world)
        assert 0 < len(known) < len(ids)
        assert known.items() <= in_label_studio(world).items()
        sync.synchronise(world.job("sync"), complete=True)
        assert in_pool(world) == in_label_studio(world)
        status = server.status()
        assert status["human_labels"] == len(ids)
        assert "No event had told of some changed human labels" in status["incidents"][0]["what"]
        assert set(flood(server.port, bodies)) == {200}
        assert in_pool(world) == in_label_studio(world)
        assert world.project.changes == len(ids)


def test_two_thousand_webhooks_doubled_reordered_and_malformed(world: World) -> None:
    """Every task is labelled, changed and half of them taken back; the events come three times, in any order."""
    ids = world.double.add_tasks([f"text {number}" for number in range(240)])
    bodies: list[bytes] = []
    for place, task in enumerate(ids):
        row = world.double.tasks[task]
        number = world.double.annotate(task, [LABELS[place % 3]])
        bodies.append(event(row["annotations"][0], row))
        value = row["annotations"][0]["result"][0]
        changed = {**value, "value": {"choices": [LABELS[(place + 1) % 3]]}}
        row["annotations"][0] |= {"result": [changed], "updated_at": world.double.time()}
        bodies.append(event(row["annotations"][0], row, "ANNOTATION_UPDATED"))
        if place % 2:
            world.double.remove_annotation(task, number)
            bodies.append(
                b'{"action": "ANNOTATIONS_DELETED", "project": {"id": 7}, "annotations": [{"id": %d}]}' % number
            )
    bodies = bodies * 3 + MALFORMED * 24
    assert len(bodies) > 2_000
    with web(world, LOG_LEVEL="ERROR") as server:
        assert set(flood(server.port, shuffled(bodies, 1))) == {200}
        wait_for("all events", lambda: asked(world) and in_pool(world) == in_label_studio(world), 240, 1)
        assert server.status()["human_labels"] == 120
        assert "Traceback" not in server.log.read_text()


def asked(world: World) -> bool:
    """Compare with Label Studio, as the job does that events of changes and deletions ask for."""
    return sync.synchronise(world.job("sync"), complete=True) is not None


def test_events_that_were_answered_outlive_a_kill_and_a_database_that_is_locked(world: World) -> None:
    """No comparison helps: what is in the pool afterwards came from the events alone."""
    ids = world.double.add_tasks([f"text {number}" for number in range(60)])
    for place, task in enumerate(ids):
        world.double.annotate(task, [LABELS[place % 3]])
    bodies = [event(row, task) for task in world.double.tasks.values() for row in task["annotations"]]
    bodies.append(b'{"action": "START_TRAINING", "project": {"id": 7}}')
    with web(world) as server:
        with write(world.engine):  # nobody else can write meanwhile
            assert set(flood(server.port, bodies)) == {200}
            server.kill()
        assert in_pool(world) == {}
        server.start_again()
        wait_for("all events", lambda: in_pool(world) == in_label_studio(world), 240, 0.1)
        wait_for("the training", lambda: world.services.queue.place("train", 7) == "waiting", 240, 0.1)
        assert not any(path.stat().st_size for path in (world.folder / "events").iterdir())


def test_the_web_server_goes_on_without_redis_and_says_so(world: World) -> None:
    own = RedisServer(world.folder)
    own.start()
    world.services = Services(
        world.services.settings.model_copy(update={"REDIS_URL": own.url}), world.engine, JobQueue(own.url, world.engine)
    )
    (task,) = world.double.add_tasks(["where is my parcel"])
    with web(world) as server:
        assert server.await_answer("/ready").json() == {"ready": True, "pool": "ok", "redis": "ok", "students": "ok"}
        own.kill()
        assert server.http.get(f"{server.url}/health", timeout=240).status_code == 200
        assert server.version().startswith("teacher-")
        assert len(server.predict({task: "where is my parcel"})) == 1
        number = world.double.annotate(task, ["shipping"])
        row = world.double.tasks[task]
        assert post_all(server.port, [event(row["annotations"][0], row)]) == [200]
        wait_for("the label", lambda: in_pool(world) == {number: ("shipping",)}, 240, 0.05)
        answer = server.await_answer("/ready", 503).json()
        assert answer["pool"] == "ok"
        assert answer["redis"].startswith("Redis cannot be used")
        own.start()
        assert server.await_answer("/ready").json()["ready"] is True
    world.services.queue.connection.close()
    own.stop()
