"""Predictions that nobody can see any more go in Label Studio: all of them, no others, also after a crash."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.errors import LabelStudioUnavailable
from backend.jobs import clear, publish
from backend.jobs.reconcile import missing
from backend.pool import annotations, out_of_sight, predictions, publishing, tasks, teachers, versions
from backend.pool.annotations import Annotation
from backend.pool.database.engine import now_ms
from backend.pool.text import text_hash
from backend.projects.actions import serve_version
from backend.serving.publishing import clearing, push
from tests.support.world import World

TASKS = 7
HOUR = 3_600_000  # milliseconds


@pytest.fixture
def filled(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Seven tasks and our connection; tasks are listed three at a time, and nobody leaves one open."""
    monkeypatch.setattr(clearing, "CHUNK", 3)
    monkeypatch.setattr(clearing, "OPEN_MS", 0)
    ids = world.double.add_tasks([f"text {number}" for number in range(TASKS)])
    tasks.add(world.engine, 7, {task: f"text {number}" for number, task in enumerate(ids)})
    url = world.services.settings.backend_url
    world.double.connections[500] = {"id": 500, "url": url, "title": "by hand", "state": "CO"}
    return world


def trained(world: World, number: int) -> str:
    """A student whose answers Label Studio gets by a publish."""
    version = f"student-{number}-{world.project.space_hash}"
    versions.add(world.engine, 7, version, number, world.project.space_hash, {}, 3)
    known = tasks.texts(world.engine, 7, tasks.all_ids(world.engine, 7))
    rows = [(task, text_hash(text), "refund", 0.75) for task, text in known.items()]
    predictions.save(world.engine, 7, version, rows)
    versions.set_state(world.engine, 7, version, "publishing", "judged")
    publish.work(world.job("publish"))
    return version


def held(world: World) -> dict[str, int]:
    """Rows in Label Studio by version."""
    found = [row["model_version"] for row in world.double.predictions]
    return {version: found.count(version) for version in found}


def test_of_four_students_the_served_one_and_the_one_before_keep_their_rows(filled: World) -> None:
    old = [trained(filled, number) for number in (1, 2, 3, 4)]
    assert held(filled) == dict.fromkeys(old, TASKS)
    assert filled.services.queue.place("clear", 7) == "waiting"
    assert clear.work(filled.job("clear")) == "14 older predictions taken away in Label Studio"
    assert held(filled) == dict.fromkeys(old[2:], TASKS)
    assert clearing.unseen(filled.current) == []
    assert filled.double.fields["model_version"] == old[3]


def test_what_somebody_may_still_have_open_stays_a_day_and_an_hour_if_there_is_much_of_it(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing, "OPEN_MS", 24 * HOUR)
    monkeypatch.setattr(clearing, "LATEST", 2)
    moment = now_ms()
    filled.services = replace(filled.services, clock=lambda: moment)
    old = [trained(filled, number) for number in (1, 2, 3, 4)]
    assert filled.services.queue.place("clear", 7) == "absent"
    moment += 24 * HOUR - 1
    assert clear.work(filled.job("clear")).startswith("0 older")
    assert "clear" not in missing(filled.current)
    moment += 1
    assert "clear" in missing(filled.current)
    clear.work(filled.job("clear"))
    assert held(filled) == dict.fromkeys(old[2:], TASKS)
    for number in (5, 6, 7):
        moment += 1
        old.append(trained(filled, number))
    moment += HOUR  # three are out of sight, one more than may wait for the day
    clear.work(filled.job("clear"))
    assert held(filled) == dict.fromkeys(old[3:], TASKS)
    moment += 23 * HOUR
    clear.work(filled.job("clear"))
    assert held(filled) == dict.fromkeys(old[5:], TASKS)


def test_a_version_that_is_shown_again_begins_anew(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "OPEN_MS", 24 * HOUR)
    moment = now_ms()
    filled.services = replace(filled.services, clock=lambda: moment)
    old = [trained(filled, number) for number in (1, 2, 3)]
    assert set(out_of_sight.since(filled.engine, 7)) == {old[0]}
    serve_version(filled.current, old[0])
    publish.work(filled.job("publish"))
    assert old[0] not in out_of_sight.since(filled.engine, 7)


def test_what_it_did_not_send_and_what_people_decided_from_stays(filled: World) -> None:
    first, second, *_ = sorted(filled.double.tasks)
    filled.double._import([{"task": first, "model_version": "by hand", "score": 0.5, "result": []}])
    old = [trained(filled, number) for number in (1, 2, 3)]
    (parent,) = [
        row["id"] for row in filled.double.predictions if (row["task"], row["model_version"]) == (second, old[0])
    ]
    filled.double.annotate(second, ["refund"])
    filled.double.tasks[second]["annotations"][0]["parent_prediction"] = parent
    clear.work(filled.job("clear"))
    assert held(filled) == {"by hand": 1, old[0]: 1, old[1]: TASKS, old[2]: TASKS}
    assert parent in [row["id"] for row in filled.double.predictions]
    assert clearing.unseen(filled.current) == []


def test_a_former_teachers_shortlists_go_too(filled: World) -> None:
    teachers.remember(filled.engine, 7, "teacher-ffffff-3d4e5f", "core", "openai:m", "single")
    (task, *_) = sorted(filled.double.tasks)
    publishing.confirm(
        filled.engine, 7, "teacher-ffffff-3d4e5f", publishing.intend(filled.engine, 7, "teacher-ffffff-3d4e5f", [task])
    )
    filled.double._import([{"task": task, "model_version": "teacher-ffffff-3d4e5f", "score": 0.5, "result": []}])
    clear.work(filled.job("clear"))
    assert held(filled) == {}


def test_nothing_goes_where_nobody_wants_it(filled: World) -> None:
    filled.set_options(REMOVE_OLD_PREDICTIONS=False)
    old = [trained(filled, number) for number in (1, 2, 3)]
    assert filled.services.queue.place("clear", 7) == "absent"
    clear.work(filled.job("clear"))
    assert held(filled) == dict.fromkeys(old, TASKS)


def test_label_studio_breaks_off_and_somebody_goes_back_to_what_was_half_gone(filled: World) -> None:
    old = [trained(filled, number) for number in (1, 2, 3)]
    filled.double.faults["DELETE /api/predictions/"] = [(404, {}), (503, {})]
    with pytest.raises(LabelStudioUnavailable):
        clear.work(filled.job("clear"))
    filled.double.predictions = filled.double.predictions[2:]  # both were carried out, the second unanswered
    versions.set_state(filled.engine, 7, old[0], "publishing", "chosen")
    publish.work(filled.job("publish"))
    assert held(filled) == dict.fromkeys(old, TASKS)


def test_a_row_that_label_studio_may_still_store_is_not_forgotten(filled: World) -> None:
    old = [trained(filled, number) for number in (1, 2, 3)]
    (task, *_) = sorted(filled.double.tasks)
    publishing.give(filled.engine, 7, old[0], [task], filled.services.clock() + 60_000)
    clear.work(filled.job("clear"))
    assert publishing.unconfirmed(filled.engine, 7, filled.services.clock() + 61_000) == {old[0]: {task}}


def test_it_goes_on_after_a_pause(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        trained(filled, number)
    monkeypatch.setattr(clear, "SECONDS", 0.0)
    before = sum(held(filled).values())
    assert clear.work(filled.job("clear")).endswith("; it goes on")
    assert before > sum(held(filled).values()) > 2 * TASKS


def test_while_much_waits_to_go_only_the_doubtful_rows_of_a_new_student_are_sent(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "CHUNK", 2)
    monkeypatch.setattr(clearing, "MOST", 0)
    old = [trained(filled, number) for number in (1, 2, 3, 4)]
    assert held(filled) == {old[0]: TASKS, old[1]: TASKS, old[2]: TASKS, old[3]: 2}
    assert publish.work(filled.job("publish")).endswith("the rest follows once older predictions are gone")
    assert "publish" not in missing(filled.current)
    filled.services.queue.cancel("publish", 7)
    clear.work(filled.job("clear"))
    assert filled.services.queue.place("publish", 7) == "waiting"
    assert "publish" in missing(filled.current)
    publish.work(filled.job("publish"))
    assert held(filled) == {old[2]: TASKS, old[3]: TASKS}


def test_predictions_stay_for_what_was_decided_while_they_were_shown(filled: World) -> None:
    version = trained(filled, 1)
    first, second, *_ = sorted(filled.double.tasks)
    moment = "2026-11-21T06:00:01.000000Z"
    rows = [
        Annotation(task, task, 1, ("refund",), "labelled", False, moment, shown, ("refund",), 0.5, moment)
        for task, shown in ((first, version), (second, "student-9-abcdef"))
    ]
    annotations.save(filled.engine, 7, rows)
    predictions.drop_unseen(filled.engine, 7, version)
    assert set(predictions.read(filled.engine, 7, version)) == {first}
