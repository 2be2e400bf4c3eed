"""After any number of lost webhooks the pool equals Label Studio."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from backend.commands.doctor.project import examine_project
from backend.errors import LabelStudioUnavailable
from backend.jobs import sync
from backend.jobs.sync import SYNC_MS
from backend.pool import annotations as decisions
from backend.pool import tasks
from backend.pool.annotations import human_labels
from backend.pool.database.engine import now_ms
from backend.reporting.report import report_html
from backend.reporting.status import left_out, project_status
from backend.reporting.wording import left_out_words
from backend.services import Services
from model.labels import HumanLabel
from tests.support.label_studio_double import CONFIG
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


@pytest.mark.parametrize("late", [0, 1, 7, 11, 12, 13, 100])
def test_a_missed_comparison_of_all_ids_is_made_up_for(world: World, late: int) -> None:
    """Every hour, however long nothing ran at the time at which it was due."""
    now = now_ms()
    world.services = Services(world.services.settings, world.engine, world.services.queue, lambda: now)
    first, second = world.double.add_tasks(["one", "two"])
    sync.work(world.job("sync"))
    del world.double.tasks[first]
    now += late * SYNC_MS
    sync.work(world.job("sync"))
    assert tasks.all_ids(world.engine, 7) == ([second] if late >= 12 else [first, second])
    now += sync.FULL_MS
    sync.work(world.job("sync"))
    assert tasks.all_ids(world.engine, 7) == [second]


def test_a_comparison_that_fails_stays_due(world: World) -> None:
    first, second = world.double.add_tasks(["one", "two"])
    sync.work(world.job("sync"))
    del world.double.tasks[first]
    now = now_ms() + sync.FULL_MS
    world.services = Services(world.services.settings, world.engine, world.services.queue, lambda: now)
    world.double.faults["GET /api/tasks/"] = [(503, "away")]
    with pytest.raises(LabelStudioUnavailable):
        sync.work(world.job("sync"))
    now += SYNC_MS
    sync.work(world.job("sync"))
    assert tasks.all_ids(world.engine, 7) == [second]


def test_a_clock_that_was_set_back_does_not_put_a_comparison_off(world: World) -> None:
    first, second = world.double.add_tasks(["one", "two"])
    ahead = Services(world.services.settings, world.engine, world.services.queue, lambda: now_ms() + 10**9)
    world.services, present = ahead, world.services
    sync.work(world.job("sync"))
    del world.double.tasks[first]
    world.services = present
    sync.work(world.job("sync"))
    assert tasks.all_ids(world.engine, 7) == [second]


def test_without_a_key_it_does_nothing_and_says_so(world: World) -> None:
    world.set_options(LABEL_STUDIO_API_KEY=SecretStr(""))
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


WITHOUT_REFUND = CONFIG.replace('<Choice value="refund" hint="wants money back"/>', '<Choice value="other"/>')


def left(world: World) -> dict[str, object]:
    return left_out(world.job("sync").current)


def test_tasks_without_text_are_counted_and_told(world: World) -> None:
    first, second, third, _ = world.double.add_tasks(["one", "", "  ", "four"])
    world.double.tasks[second]["data"] = {"message": "in another field"}
    assert "2 tasks have no text" in sync.work(world.job("sync"))
    assert left(world)["tasks"] == 2
    (told,) = left_out_words(left(world))
    assert told.startswith("2 tasks have no text that can be read, so that nothing is suggested for them")
    world.double.tasks[second] |= {"data": {"text": "now there"}, "updated_at": world.double.time()}
    world.double.tasks[first] |= {"data": {"text": ""}, "updated_at": world.double.time()}
    sync.work(world.job("sync"))
    assert tasks.textless(world.engine, 7) == {first, third}
    assert tasks.texts(world.engine, 7, [first, second]) == {second: "now there"}
    del world.double.tasks[third]
    sync.synchronise(world.job("sync"), complete=True)
    assert left(world)["tasks"] == 1


def test_labels_that_the_label_config_lost_are_counted_and_told_and_come_back_with_it(world: World) -> None:
    one, two, three = world.double.add_tasks(["one", "two", "three"])
    world.double.annotate(one, ["refund"])
    world.double.annotate(two, ["billing", "refund"])
    world.double.annotate(three, ["lost long ago"])
    assert "; 1 annotations have labels that the label config does not have" in sync.work(world.job("sync"))
    assert left(world) == {"tasks": 0, "annotations": 1, "labels": {"lost long ago": 1}, "texts": {}}
    world.double.fields["label_config"] = WITHOUT_REFUND
    assert "; 3 annotations have labels" in sync.work(world.job("sync"))
    assert left(world) == {"tasks": 0, "annotations": 3, "labels": {"refund": 2, "lost long ago": 1}, "texts": {}}
    assert labels(world) == {two: HumanLabel(("billing",))}
    (told,) = left_out_words(left(world))
    assert told.startswith("3 annotations have labels that are not in the label config, which do not count: refund (2)")
    world.double.fields["label_config"] = CONFIG
    sync.work(world.job("sync"))
    assert labels(world) == {one: HumanLabel(("refund",)), two: HumanLabel(("billing", "refund"))}
    assert left(world)["annotations"] == 1
    assert "No event had told" not in world.told()


def test_what_is_told_is_on_the_page_in_the_report_and_in_the_doctors_findings(world: World) -> None:
    task, _ = world.double.add_tasks(["one", ""])
    world.double.annotate(task, ["lost"])
    sync.work(world.job("sync"))
    current = world.job("sync").current
    assert project_status(current)["left_out"] == {"tasks": 1, "annotations": 1, "labels": {"lost": 1}, "texts": {}}
    report = " ".join(report_html(current).split())
    assert "1 annotation has labels that are not in the label config, which do not count: lost (1)" in report
    assert "1 task has no text that can be read" in report
    with world.job("sync").label_studio() as label_studio:  # type: ignore[union-attr]
        found = list(examine_project(world.services, label_studio, world.project))
    told = [one.what for one in found if one.check == "Project 7: data"]
    assert len(told) == 2
