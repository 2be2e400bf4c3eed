"""LABEL_STUDIO_URL leads to another Label Studio now, which has a project 7, too."""

from __future__ import annotations

import pytest

from backend.errors import OtherLabelStudio
from backend.jobs import publish, reconcile, sync
from backend.label_studio.client import LabelStudio
from backend.pool import candidates, ledger, projects, tasks, text
from backend.pool.identity import STEP
from backend.projects.connect import connect_project
from backend.projects.disconnect import disconnect_project
from model.teacher.base import Usage
from tests.support.label_studio_double import TOKEN
from tests.support.samples import answered
from tests.support.world import World

SECOND = 7 + STEP


@pytest.fixture
def moved(world: World) -> World:
    """Task 1 was read and answered, and money spent, before the other Label Studio came."""
    (task,) = world.double.add_tasks(["where is my parcel"])
    sync.synchronise(world.job("sync"), complete=True)
    version = world.job("sync").current.teacher_version
    candidates.save(world.engine, 7, version, [(task, text.text_hash("where is my parcel"), answered("shipping"))])
    ledger.settle(world.engine, 7, version, None, Usage(calls=1, microusd=4_000_000))
    world.double.fields |= {"title": "own", "created_at": "2027-01-01T00:00:00.000000Z"}
    world.double.tasks = {}
    return world


def test_nothing_is_compared_with_anybody_elses_project(moved: World) -> None:
    said = sync.work(moved.job("sync"))
    assert "project 7 (tickets) is of another Label Studio" in said
    assert "nothing can be compared" in said
    assert tasks.count(moved.engine, 7) == 1
    assert moved.project.elsewhere


def test_nothing_is_sent_to_anybody_elses_project(moved: World) -> None:
    moved.double.tasks = {1: {"id": 1, "data": {"text": "of somebody else"}, "annotations": []}}
    moved.double.connections = {5: {"id": 5, "url": moved.services.settings.backend_url, "title": "teacher-abc-abcdef"}}
    assert "predictions go out only when Label Studio asks" in publish.work(moved.job("publish"))
    assert (moved.double.predictions, moved.double.connections[5]["title"]) == ([], "teacher-abc-abcdef")
    assert "publish" not in reconcile.missing(moved.job("publish").current)


def test_the_work_goes_on_once_it_is_back(moved: World) -> None:
    sync.work(moved.job("sync"))
    moved.double.fields["created_at"] = moved.double.created
    moved.double.tasks = {
        1: {"id": 1, "data": {"text": "where is my parcel"}, "annotations": [], "updated_at": moved.double.time()}
    }
    assert "in line with Label Studio" in sync.work(moved.job("sync"))
    assert not moved.project.elsewhere
    assert tasks.count(moved.engine, 7) == 1


def test_connecting_the_other_one_takes_nothing_away(moved: World) -> None:
    with LabelStudio(moved.double.url, TOKEN) as label_studio:
        done = connect_project(label_studio, moved.services.settings, 7)
        assert (done.project, done.title) == (SECOND, "own")
        assert f"this one is {SECOND} in pages and commands; 7 is 'tickets'" in " ".join(done.notes)
        new = projects.get(moved.engine, SECOND)
        assert new is not None
        assert tasks.count(moved.engine, 7) == 1
        assert ledger.totals(moved.engine, SECOND).counted_microusd == 4_000_000
        with pytest.raises(OtherLabelStudio, match="belongs to 'own'"):
            disconnect_project(label_studio, moved.services.settings, moved.project)
        assert moved.double.connections
        assert disconnect_project(label_studio, moved.services.settings, new) == 2
