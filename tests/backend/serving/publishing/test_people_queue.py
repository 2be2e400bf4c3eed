"""The head of the people's queue at Label Studio: which tasks are marked, once, and where a killed run goes on."""

from __future__ import annotations

import pytest

from backend.jobs import annotate, publish, train
from backend.pool import acquisition, predictions, tasks
from backend.serving.publishing import people_queue
from backend.training.snapshot import read_snapshot
from tests.support.world import World, messages


@pytest.fixture
def served(world: World) -> World:
    """Forty-five tasks with a student that waits to be published, where the score column orders the queue."""
    rows = [text for text, _ in messages(3)]
    tasks.add(world.engine, 7, dict(zip(world.double.add_tasks(rows), rows, strict=True)))
    choose(world, "acquisition")
    world.double.fields["sampling"] = "Uncertainty sampling"
    annotate.work(world.job("annotate"))
    world.double.annotate(1, ["billing"])
    train.work(world.job("train"))
    return world


def choose(world: World, score: str) -> None:
    world.set_options(SCORE=score, BLIND_SHARE=0.0)


def marked(world: World) -> dict[int, int]:
    return {row["task"]: row["cluster"] for row in world.double.predictions if "cluster" in row}


def test_scores_are_leads_and_the_head_is_marked_once(served: World) -> None:
    publish.work(served.job("publish"))
    version = served.current.chooser
    leads = acquisition.scores(served.engine, 7, version, tasks.all_ids(served.engine, 7))
    sent = {row["task"]: row["score"] for row in served.double.predictions if row["model_version"] == version}
    assert sent == leads
    assert set(sent) == set(range(2, 46))
    sure = {task: row[2] for task, row in predictions.read(served.engine, 7, version).items()}
    assert all(leads[task] <= sure[task] for task in leads)
    head = acquisition.line(served.engine, 7, "people")
    assert head is not None
    assert len(head.tasks) == 20 == served.services.settings.RETRAIN_AFTER
    assert marked(served) == dict.fromkeys(head.tasks, 1)
    before = len(served.double.requests)
    publish.work(served.job("publish"))
    assert not [request for request in served.double.requests[before:] if request.startswith("PATCH /api/predictions")]


def test_a_killed_run_goes_on_where_it_was(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    done = acquisition.mark_done

    def crash(*arguments: object) -> None:
        done(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt("the worker is killed here")

    monkeypatch.setattr(acquisition, "mark_done", crash)
    with pytest.raises(KeyboardInterrupt):
        publish.work(served.job("publish"))
    assert len(marked(served)) == people_queue.PAGE
    monkeypatch.setattr(acquisition, "mark_done", done)
    before = len(served.double.requests)
    publish.work(served.job("publish"))
    assert len(marked(served)) == 20
    patches = [request for request in served.double.requests[before:] if request.startswith("PATCH /api/predictions")]
    assert len(patches) == 10


@pytest.mark.parametrize(
    ("score", "sampling"), [("confidence", "Uncertainty sampling"), ("acquisition", "Sequential sampling")]
)
def test_nothing_is_marked_where_label_studio_does_not_sort_by_it(served: World, score: str, sampling: str) -> None:
    choose(served, score)
    served.double.fields["sampling"] = sampling
    publish.work(served.job("publish"))
    assert served.current.chooser
    assert marked(served) == {}


def test_a_fifth_of_the_head_is_drawn_and_the_pool_keeps_how_people_came_to_tasks(served: World) -> None:
    publish.work(served.job("publish"))
    head = acquisition.line(served.engine, 7, "people")
    assert head is not None
    chances = acquisition.propensities(served.engine, 7, head.tasks)
    drawn = {task for task, chance in chances.items() if chance > 0}
    assert set(chances) == set(head.tasks)
    assert len(drawn) == 4
    assert {chances[task] for task in drawn} == {4 / 44}
    part = set(head.tasks) - {min(drawn)}  # Label Studio's order, not the draw, chose these of the drawn ones
    assert set(acquisition.propensities(served.engine, 7, part).values()) == {0.0}
    for task in head.tasks:
        served.double.annotate(task, ["billing"])
    train.work(served.job("train"))
    snapshot = read_snapshot(served.job("train"))
    assert {task: snapshot.propensities[task] for task in head.tasks} == chances
    assert 1 not in snapshot.propensities  # it was decided before anybody asked for it
