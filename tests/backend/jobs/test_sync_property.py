"""Whatever happens in Label Studio and whichever events are lost, doubled or late: one comparison is enough."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.jobs import sync
from backend.label_studio.annotations import read_annotation
from backend.label_studio.control import Control
from backend.pool import tasks
from backend.pool.annotation import decide
from backend.pool.annotations import human_labels
from backend.pool.database.engine import open_engine
from backend.projects.current import current_of
from backend.projects.updates import remember
from backend.services import Services
from backend.web import events
from tests.support.label_studio_double import CONFIG
from tests.support.web import event
from tests.support.world import CREATED, World

LABELS = ["billing", "refund", "shipping"]
OPERATIONS = st.sampled_from(
    ["label", "label", "label", "skip", "change", "remove", "truth", "new task", "edit", "drop"]
)
STEPS = st.lists(
    st.tuples(OPERATIONS, st.integers(0, 99), st.integers(1, 3), st.lists(st.sampled_from(LABELS), min_size=1,
                                                                          max_size=2, unique=True),
              st.integers(0, 2), st.sampled_from([False] * 4 + [True])),
    max_size=14,
)  # fmt: skip


class Site:
    """A Label Studio in which things happen; what it sends is collected."""

    def __init__(self, world: World) -> None:
        self.double = world.double
        self.double.tasks.clear()
        self.sent: list[bytes] = []
        self.double.add_tasks(["one", "two", "three", "four"])

    def act(self, operation: str, pick: int, user: int, labels: list[str], copies: int) -> None:
        """One thing that a person does; its event is sent `copies` times."""
        if operation == "new task":
            self.double.add_tasks([f"text {pick}"])
            return
        if not self.double.tasks:
            return
        number = sorted(self.double.tasks)[pick % len(self.double.tasks)]
        task = self.double.tasks[number]
        if operation == "edit":
            task |= {"data": {"text": f"edited {pick}"}, "updated_at": self.double.time()}
        elif operation == "drop":
            del self.double.tasks[number]
            self._send({"action": "TASKS_DELETED", "tasks": [{"id": number}]}, copies)
        elif operation in ("label", "skip"):
            self.double.annotate(number, labels, user, skipped=operation == "skip")
            self.sent += [event(task["annotations"][-1], task)] * copies
        elif task["annotations"]:
            self._of_annotation(operation, task, task["annotations"][pick % len(task["annotations"])], labels, copies)

    def _of_annotation(self, operation: str, task: Any, row: Any, labels: list[str], copies: int) -> None:
        if operation == "remove":
            self.double.remove_annotation(task["id"], row["id"])
            self._send({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": row["id"]}]}, copies)
            return
        value = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": labels}}
        change = {"ground_truth": True} if operation == "truth" else {"result": [value], "was_cancelled": False}
        row |= {**change, "updated_at": self.double.time()}
        task["updated_at"] = self.double.time()
        self.sent += [event(row, task, "ANNOTATION_UPDATED")] * copies

    def _send(self, body: dict[str, Any], copies: int) -> None:
        self.sent += [json.dumps({"project": {"id": 7}, **body}).encode()] * copies


def truth(world: World, control: Control) -> dict[int, Any]:
    """The human label of each task, straight from Label Studio's rows."""
    decided = {
        number: decide([read_annotation(control, row, number) for row in task["annotations"]])
        for number, task in world.double.tasks.items()
    }
    return {number: label for number, label in decided.items() if label is not None}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, shuffle=st.randoms(use_true_random=False))
def test_after_any_history_one_comparison_makes_them_equal(world: World, steps: list[Any], shuffle: Any) -> None:
    with Fresh(world) as here:
        site = Site(here)
        for operation, pick, user, labels, copies, deliver_now in steps:
            site.act(operation, pick, user, labels, copies)
            if deliver_now:
                deliver(here.services, site.sent, shuffle)
                sync.synchronise(here.job("sync"), complete=False)
        deliver(here.services, site.sent, shuffle)
        sync.synchronise(here.job("sync"), complete=True)
        control = current_of(here.services, here.project).control
        assert human_labels(here.engine, 7) == truth(here, control)
        expected = {number: task["data"]["text"] for number, task in here.double.tasks.items()}
        assert tasks.texts(here.engine, 7, tasks.all_ids(here.engine, 7)) == expected


def deliver(services: Services, sent: list[bytes], shuffle: Any) -> None:
    """Hand over what was sent so far, in any order; some of it comes again the next time."""
    shuffle.shuffle(sent)
    for body in sent:
        events.handle(services, json.loads(body))
    del sent[: len(sent) // 2]


class Fresh:
    """The world with an empty pool of its own, copied from a file because making one takes longer than the test."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._folder = Path(tempfile.mkdtemp(prefix="pool-"))

    def __enter__(self) -> World:
        template = Path(str(self._world.engine.url.database))
        with self._world.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(template, self._folder / "pool.sqlite")
        self._engine = open_engine(f"sqlite:///{self._folder / 'pool.sqlite'}")
        services = Services(self._world.services.settings, self._engine, self._world.services.queue)
        remember(services, 7, CREATED, CONFIG, title="tickets")
        return World(self._world.double, services, self._folder)

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()
        shutil.rmtree(self._folder)
