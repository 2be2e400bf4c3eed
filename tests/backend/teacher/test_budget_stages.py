"""A budget that does not pay for all tasks: asked in stages, in the student's order; the student answers the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from backend.errors import BudgetReached
from backend.jobs import annotate, publish, train
from backend.pool import acquisition, annotations, candidates, jobs, ledger, predictions, tasks
from backend.pool.annotations import Annotation
from backend.pool.text import text_hash
from backend.teacher import acquisition as acquiring
from backend.teacher import budget_stages
from backend.teacher.acquisition import for_teacher
from backend.teacher.budget_stages import Stage
from backend.training.encoder import project_embedder
from tests.support.llm import says, with_llm
from tests.support.llm_server import OpenAIServer
from tests.support.world import World, messages

PER_TASK = 100 * 10 + 10 * 20  # micro-dollars, as with_llm prices it


@pytest.fixture
def llm(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """Sixty tasks, an LLM on loopback, stages that begin with 15 tasks."""
    rows = [text for text, _ in messages(4)]
    ids = world.double.add_tasks(rows)
    tasks.add(world.engine, 7, dict(zip(ids, rows, strict=True)))
    monkeypatch.setattr(budget_stages, "FIRST", 15)
    monkeypatch.setattr(acquiring, "FIRST_QUEUE", 15)
    server = HTTPServer(port=0, threaded=True)
    server.start()
    yield OpenAIServer(server, says)
    server.stop()


def asked(world: World) -> set[int]:
    return set(candidates.read(world.engine, 7, world.current.teacher_version))


def embed(world: World):  # type: ignore[no-untyped-def]
    return project_embedder(world.current)


def test_money_for_all_means_no_order_and_no_waiting(world: World, llm: OpenAIServer) -> None:
    with_llm(world, llm.base_url, budget=100.0)
    said = annotate.work(world.job("annotate"))
    while said != "the teacher has been asked about every task":
        said = annotate.work(world.job("annotate"))
    assert len(asked(world)) == 60
    assert world.services.queue.place("train", 7) == "absent"
    assert acquisition.line(world.engine, 7, "teacher") is None


def test_stages_follow_the_student_until_the_money_is_gone_and_the_student_answers_the_rest(
    world: World, llm: OpenAIServer
) -> None:
    with_llm(world, llm.base_url, budget=55 * PER_TASK / 1e6, LLM_CONCURRENCY=1)
    jobs.begin(world.engine, 7, "annotate")
    annotate.work(world.job("annotate"))
    first = acquisition.line(world.engine, 7, "teacher")
    assert first is not None
    assert first.version == ""
    assert 15 <= len(asked(world)) <= 16
    assert asked(world) >= set(first.tasks)
    texts = tasks.texts(world.engine, 7, first.tasks)
    assert len({says(text) for text in texts.values()}) == 3  # they differ
    assert world.services.queue.place("train", 7) == "waiting"
    before = asked(world)
    assert "a student learns" in annotate.work(world.job("annotate"))  # nothing is asked before the training
    assert asked(world) == before

    train.work(world.job("train"))
    world.services.queue.cancel("annotate", 7)
    publish.work(world.job("publish"))
    assert world.services.queue.place("annotate", 7) == "waiting"
    order = for_teacher(world.current, world.current.teacher_version, embed(world))
    world.services.queue.cancel("train", 7)
    with pytest.raises(BudgetReached):
        work_on(world)
    second = acquisition.line(world.engine, 7, "teacher")
    assert second is not None
    assert second.version == world.current.chooser != ""
    new = asked(world) - before
    assert len(new) > 10
    assert set(order[:10]) <= new
    assert len(asked(world)) < 60
    assert ledger.totals(world.engine, 7).microusd <= 55 * PER_TASK
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    served = predictions.read(world.engine, 7, world.current.chooser)
    assert set(served) == set(tasks.all_ids(world.engine, 7))


def work_on(world: World) -> None:
    """One job after the other, for ever."""
    while True:
        annotate.work(world.job("annotate"))
        train.work(world.job("train"))
        publish.work(world.job("publish"))


def test_a_training_by_hand_or_a_failed_one_holds_nothing_up(world: World, llm: OpenAIServer) -> None:
    with_llm(world, llm.base_url, budget=40 * PER_TASK / 1e6, RETRAIN_AFTER=0)
    assert budget_stages.stage_end(world.current) == budget_stages.ALL
    with_llm(world, llm.base_url, budget=40 * PER_TASK / 1e6, RETRAIN_AFTER=20)
    assert budget_stages.stage_end(world.current) == 15
    jobs.begin(world.engine, 7, "train")
    jobs.fail(world.engine, 7, "train", "no memory")
    assert budget_stages.stage_end(world.current) == budget_stages.ALL


def test_room_is_what_the_stage_leaves() -> None:
    assert Stage().room(10**6, 64) == 64
    assert Stage(end=200).room(150, 64) == 50
    assert Stage(end=200).room(216, 64) == 0


def decide(world: World, task: int) -> None:
    row = Annotation(task, task, 1, ("refund",), "labelled", False, "2026-11-21T06:00:01.000000Z", None, None, None)
    annotations.save(world.engine, 7, [row])


@pytest.mark.parametrize("rule", ["margin-clusters", "ci-published", "ci-total-variation", "random"])
def test_a_queue_is_used_up_before_the_next_one_and_leaves_out_what_people_decided(
    world: World, llm: OpenAIServer, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acquiring, "TEACHER_QUEUE", 5)
    annotate.work(world.job("annotate"))  # the offline teacher, so that there is a student
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    with_llm(world, llm.base_url, ACQUISITION=rule)
    tasks.add(world.engine, 7, {100: "my card was billed twice", 101: "my card was billed twice"})
    for task in range(1, 50):
        decide(world, task)
    version = world.current.teacher_version
    order = for_teacher(world.current, version, embed(world))
    assert len(order) == len(set(order)) == 5
    assert set(order) <= set(range(50, 62)) | {100, 101}
    assert not {100, 101} <= set(order)
    assert for_teacher(world.current, version, embed(world)) == order
    decide(world, 60)
    answers = {task: text_hash(text) for task, text in tasks.texts(world.engine, 7, order).items()}
    from model.teacher.base import Answer, State

    candidates.save(world.engine, 7, version, [(t, h, Answer(State.ABSTAINED, None, "")) for t, h in answers.items()])
    again = for_teacher(world.current, version, embed(world))
    assert not set(again) & (set(order) | {60})
