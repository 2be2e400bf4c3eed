"""MODE=committee through the jobs: trained, stored, promoted, published, compared with, rolled back like a student."""

from __future__ import annotations

import pytest

from backend.errors import SettingsError
from backend.jobs import annotate, publish, train
from backend.pool import predictions, projects, tasks, versions
from backend.reporting.status import phase
from backend.settings import load_settings
from backend.training.encoder import project_embedder
from model.loading import load_version
from tests.support.world import World, messages


@pytest.fixture
def asked(world: World) -> World:
    """Forty-five tasks with candidate sets; a committee is to be trained."""
    rows = messages(3)
    ids = world.double.add_tasks([text for text, _ in rows])
    tasks.add(world.engine, 7, {task: text for task, (text, _) in zip(ids, rows, strict=True)})
    update = {"MODE": "committee", "COMMITTEE": "student,student:1,words,names"}
    world.set_options(**update)
    annotate.work(world.job("annotate"))
    return world


def decide(world: World, *chosen: int) -> None:
    truth = [label for _, label in messages(3)]
    for task in chosen:
        world.double.annotate(task, [truth[task - 1]])


def test_a_committee_goes_the_way_of_a_student(asked: World) -> None:
    decide(asked, 1, 2, 3)
    first = f"committee-1-{asked.project.space_hash}"
    assert train.work(asked.job("train")).startswith(first)
    publish.work(asked.job("publish"))
    assert asked.current.chooser == first
    assert phase(asked.current) == "student"
    sent = {row["task"] for row in asked.double.predictions if row["model_version"] == first}
    assert sent == set(range(4, 46))
    row = versions.get(asked.engine, 7, first)
    assert row is not None
    assert row.metrics["training"]["found"]["members"] == ["student", "student:1", "words", "names"]
    stored = load_version(asked.services.registry.fetch(7, first))
    embed = project_embedder(asked.current)
    texts = tasks.texts(asked.engine, 7, [10, 20, 30])
    best = [stored.space.names[column] for column in stored.probabilities(list(texts.values()), embed).argmax(axis=1)]
    given = predictions.read(asked.engine, 7, first, list(texts))
    assert [given[task][1] for task in texts] == best

    decide(asked, *range(4, 41))
    second = f"committee-2-{asked.project.space_hash}"
    assert train.work(asked.job("train")).startswith(second)
    row = versions.get(asked.engine, 7, second)
    assert row is not None
    assert set(row.metrics["training"]["found"]["gates"]) == {"student", "student:1", "words"}
    publish.work(asked.job("publish"))
    assert asked.project.served == second
    projects.promote(asked.engine, 7, first)
    assert asked.current.chooser == first


def test_a_committee_of_one_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"setting COMMITTEE: .*two or more different members"):
        load_settings(_env_file=None, COMMITTEE="words")
