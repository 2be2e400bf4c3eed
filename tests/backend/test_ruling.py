"""Who decides what in MODE=committee: votes, the LLM on what they leave open, people on the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from backend import acquiring, stages
from backend.acquiring import chooser
from backend.jobs import annotate, publish, train
from backend.pool import candidates, jobs, predictions, rulings, shortlists, tasks
from backend.services import teacher_version
from backend.status import project_status
from tests.backend.jobs.conftest import World, double, messages, world
from tests.backend.llm import with_llm
from tests.backend.test_stages import says
from tests.model.teacher.llm_server import OpenAIServer

__all__ = ["double", "world"]
MEMBERS = {"MODE": "committee", "COMMITTEE": "student,words,names", "BLIND_SHARE": 0.0}


@pytest.fixture
def llm(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """Sixty tasks and an LLM on loopback; the first committee is trained on fifteen answers."""
    rows = [text for text, _ in messages(4)]
    tasks.add(world.engine, 7, dict(zip(world.double.add_tasks(rows), rows, strict=True)))
    monkeypatch.setattr(stages, "FIRST", 15)
    monkeypatch.setattr(acquiring, "FIRST_QUEUE", 15)
    server = HTTPServer(port=0, threaded=True)
    server.start()
    found = OpenAIServer(server, says)
    with_llm(world, found.base_url, LLM_CONCURRENCY=1, SERVE_UNSURE="shortlist", VOTING="unanimous", **MEMBERS)
    jobs.begin(world.engine, 7, "annotate")
    yield found
    server.stop()


def asked(world: World) -> set[int]:
    return set(candidates.read(world.engine, 7, teacher_version(world.services, world.project)))


def first_committee(world: World) -> str:
    """Ask about the first tasks, train on them, serve."""
    assert "a student learns" in annotate.work(world.job("annotate"))
    assert 15 <= len(asked(world)) <= 16
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    assert chooser(world.project).startswith("committee-1-")
    return chooser(world.project)


def test_the_llm_is_asked_only_what_the_votes_leave_open(world: World, llm: OpenAIServer) -> None:
    version, before = first_committee(world), asked(world)
    open_tasks = rulings.of_source(world.engine, 7, version, "unresolved") - before
    counts = rulings.counts(world.engine, 7, version)
    assert sum(counts.values()) == 60
    assert counts["committee"] > 0
    assert 0 < len(open_tasks) < 45
    said = annotate.work(world.job("annotate"))
    assert said.endswith("the committee decides the rest")
    assert asked(world) == before | open_tasks
    assert world.services.queue.place("train", 7) == "waiting"
    assert project_status(world.services, world.project)["decided_by"] == {**counts, "person": 0}

    train.work(world.job("train"))
    publish.work(world.job("publish"))
    second = chooser(world.project)
    assert second.startswith("committee-2-")
    settled = rulings.of_source(world.engine, 7, second, "llm")
    assert settled <= asked(world)  # the votes did not agree, one label was left by the LLM
    texts = tasks.texts(world.engine, 7, settled)
    for task, row in predictions.read(world.engine, 7, second, settled).items():
        assert row[1] in says(texts[task])


def test_people_get_a_shortlist_of_what_nobody_decided(world: World, llm: OpenAIServer) -> None:
    version = first_committee(world)
    unresolved = rulings.of_source(world.engine, 7, version, "unresolved")
    lists = shortlists.read(world.engine, 7, version, unresolved)
    assert set(lists) == unresolved
    shown = {row["task"]: row["result"][0]["value"]["choices"] for row in world.double.predictions
             if row["model_version"] == version}  # fmt: skip
    assert {task: tuple(shown[task]) for task in unresolved} == {task: found.labels for task, found in lists.items()}
    assert all(len(shown[task]) == 1 for task in set(shown) - unresolved)


def test_what_the_web_process_answered_counts_as_the_committees(world: World, llm: OpenAIServer) -> None:
    version = first_committee(world)
    (late,) = world.double.add_tasks(["where is my parcel"])
    tasks.add(world.engine, 7, {late: "where is my parcel"})
    predictions.save(world.engine, 7, version, [(late, tasks.text_hash("where is my parcel"), "shipping", 0.9)])
    publish.work(world.job("publish"))
    assert late in rulings.of_source(world.engine, 7, version, "committee")
    tasks.remove(world.engine, 7, [late])
    assert late not in rulings.of_source(world.engine, 7, version, "committee")
