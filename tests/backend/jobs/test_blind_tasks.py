"""Blind tasks are published without an answer; the pool keeps the prediction."""

from __future__ import annotations

import pytest

from backend.jobs import publish
from backend.pool import predictions, tasks
from backend.pool.set_aside import is_blind
from backend.serving.predicting import predict
from model.encoder.encoder import load_encoder
from tests.support.students import store, tiny_student
from tests.support.world import World, messages


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_what_is_published_for_them_holds_no_label(world: World, share: float) -> None:
    world.set_options(BLIND_SHARE=share)
    ids = world.double.add_tasks([text for text, _ in messages()])
    texts = {task: world.double.tasks[task]["data"]["text"] for task in ids}
    tasks.add(world.engine, 7, texts)
    version = store(world, 1, "publishing")
    space = world.project.space
    assert space is not None
    predict(world.job("train"), version, tiny_student(space), load_encoder().embed, texts)
    publish.work(world.job("publish"))
    assert world.project.served == version
    shown = {row["task"]: row for row in world.double.predictions if row["model_version"] == version}
    assert set(shown) == set(ids)
    for task, row in shown.items():
        assert bool(row["result"]) != is_blind(7, task, share)
        assert 0 < row["score"] <= 1
    assert set(predictions.read(world.engine, 7, version)) == set(ids)
