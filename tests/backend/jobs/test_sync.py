"""After any number of lost webhooks the pool equals Label Studio."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from backend.errors import LabelStudioUnavailable
from backend.jobs import sync
from backend.pool import annotations as decisions
from backend.pool import tasks
from backend.pool.annotations import human_labels
from backend.pool.database.engine import now_ms
from backend.services import Services
from model.labels import HumanLabel
from tests.support.world import World


def labels(world: World) -> dict[int, HumanLabel]:
    return human_labels(world.engine, world.double.number)


def test_everything_arrives_at_first(world: World) -> None:
    ids = world.double.add_tasks(["one", "two", "three", ""])
    world.double.annotate(ids[0], ["refund"])
    world.double.annotate(ids[1], [], skipped=True)
    (done,) = world.double.tasks[ids[0]]["annotations"]
    world.double.tasks[ids[2]]["drafts"] = [{**done, "id": 9_999}]  # what somebody has not submitted
    found = sync.synchronise(world.job("sync"), complete=True)
    assert found is not None
    assert (found.texts, found.decided, found.removed) == (3, 2, 0)
    assert tasks.texts(world.engine, 7, ids) == {ids[0]: "one", ids[1]: "two", ids[2]: "three"}
    assert labels(world) == {ids[0]: HumanLabel(("refund",)), ids[1]: HumanLabel(())}


def test_only_changes_are_read_afterwards(world: World) -> None:
    first, second, _ = world.double.add_tasks(["one", "two", "three"])
    sync.synchronise(world.job("sync"), complete=False)
    assert world.project.synced == world.double.tasks[3]["updated_at"]
    world.double._now = world.double._now.replace(minute=30)
    world.double.annotate(second, ["billing"])
    world.double.tasks[first] |= {"data": {"text": "edited"}, "updated_at": world.double.time()}
    found = sync.synchronise(world.job("sync"), complete=False)
    assert found is not None
    assert (found.texts, found.decided) == (1, 1)
    assert tasks.texts(world.engine, 7, [first]) == {first: "edited"}


def test_a_second_look_changes_nothing(world: World) -> None:
    (task,) = world.double.add_tasks(["one"])
    world.double.annotate(task, ["refund"])
    sync.synchronise(world.job("sync"), complete=True)
    before = world.project
    found = sync.synchronise(world.job("sync"), complete=True)
    assert str(found) == "0 new or edited tasks, 0 changed human labels, 0 vanished tasks"
    assert world.project == before


def test_a_deleted_annotation_is_noticed_by_its_absence(world: World) -> None:
    (task,) = world.double.add_tasks(["one"])
    number = world.double.annotate(task, ["refund"])
    sync.synchronise(world.job("sync"), complete=False)
    world.double.remove_annotation(task, number)
    found = sync.synchronise(world.job("sync"), complete=False)
    assert found is not None
    assert found.decided == 1
    assert labels(world) == {}
    assert [row.state for row in decisions.of_tasks(world.engine, 7, [task])[task]] == ["deleted"]


def test_an_annotation_that_is_newer_than_the_listing_is_kept(world: World) -> None:
    (task,) = world.double.add_tasks(["one"])
    sync.synchronise(world.job("sync"), complete=False)
    number = world.double.annotate(task, ["refund"])
    sync.synchronise(world.job("sync"), complete=False)
    world.double.tasks[task]["annotations"] = []  # a listing from before: no annotation, and the older time
    world.double.tasks[task]["updated_at"] = "2026-11-21T06:00:01.000000Z"
    sync.synchronise(world.job("sync"), complete=True)
    assert [row.annotation for row in decisions.of_tasks(world.engine, 7, [task])[task]] == [number]
    assert labels(world)[task] == HumanLabel(("refund",))


def test_label_studios_clock_is_set_back_and_every_event_is_lost(world: World) -> None:
    first, second, third = world.double.add_tasks(["one", "two", "three"])
    world.double.annotate(first, ["refund"])
    gone = world.double.annotate(second, ["refund"])
    sync.synchronise(world.job("sync"), complete=True)
    world.double._now -= timedelta(hours=3)
    (row,) = world.double.tasks[first]["annotations"]
    row |= {"updated_at": world.double.time(), "result": [{**row["result"][0], "value": {"choices": ["billing"]}}]}
    world.double.tasks[first]["updated_at"] = world.double.time()
    world.double.remove_annotation(second, gone)
    world.double.annotate(third, ["shipping"])
    later = Services(world.services.settings, world.engine, world.services.queue, lambda: now_ms() + 120_000)
    world.services = later
    found = sync.synchronise(world.job("sync"), complete=False)
    assert str(found) == (
        "0 new or edited tasks, 3 changed human labels, 0 vanished tasks;"
        " Label Studio's clock was set back, so everything was compared anew"
    )
    assert labels(world) == {first: HumanLabel(("billing",)), third: HumanLabel(("shipping",))}
    again = sync.synchronise(world.job("sync"), complete=False)
    assert again is not None
    assert (again.set_back, again.decided) == (False, 0)


def test_vanished_tasks_are_forgotten_only_by_a_complete_look(world: World) -> None:
    first, second = world.double.add_tasks(["one", "two"])
    sync.synchronise(world.job("sync"), complete=True)
    del world.double.tasks[first]
    sync.synchronise(world.job("sync"), complete=False)
    assert tasks.all_ids(world.engine, 7) == [first, second]
    sync.synchronise(world.job("sync"), complete=True)
    assert tasks.all_ids(world.engine, 7) == [second]


def test_several_pages_are_read(world: World) -> None:
    ids = world.double.add_tasks([f"text {number}" for number in range(sync.CHUNK * 2 + 3)])
    found = sync.synchronise(world.job("sync"), complete=True)
    assert found is not None
    assert found.texts == len(ids)
    assert tasks.count(world.engine, 7) == len(ids)


def test_a_changed_label_config_is_noticed_without_a_webhook(world: World) -> None:
    before = world.project.space_hash
    world.double.fields["label_config"] = world.double.fields["label_config"].replace("shipping", "delivery")
    sync.synchronise(world.job("sync"), complete=False)
    assert world.project.space_hash != before
    assert world.services.queue.place("annotate", 7) == "waiting"


def test_its_work_starts_what_the_differences_ask_for(world: World) -> None:
    ids = world.double.add_tasks([f"text {number}" for number in range(25)])
    for task in ids[:20]:
        world.double.annotate(task, ["refund"])
    assert "25 new or edited tasks, 20 changed human labels" in sync.work(world.job("sync"))
    assert world.services.queue.place("train", 7) == "waiting"
    assert world.services.queue.place("annotate", 7) == "waiting"


def test_without_a_key_it_does_nothing_and_says_so(world: World) -> None:
    without = world.services.settings.model_copy(update={"LABEL_STUDIO_API_KEY": SecretStr("")})
    world.services = Services(without, world.services.engine, world.services.queue)
    assert "LABEL_STUDIO_API_KEY is not set" in sync.work(world.job("sync"))
    assert world.double.requests == []


@pytest.mark.parametrize("fault", [(503, {}), (429, {}), (500, "<html>")])
def test_an_outage_in_the_middle_repeats_the_rest_later(world: World, fault: tuple[int, object]) -> None:
    world.double.add_tasks([f"text {number}" for number in range(sync.CHUNK + 1)])
    world.double.faults["GET /api/tasks"] = [fault]
    with pytest.raises(LabelStudioUnavailable):
        sync.synchronise(world.job("sync"), complete=False)
    assert world.project.synced == ""
    found = sync.synchronise(world.job("sync"), complete=False)
    assert found is not None
    assert tasks.count(world.engine, 7) == sync.CHUNK + 1
