"""Batch APIs from the job's side: nothing is handed over twice, a restart resumes from the pool, money is exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer

from backend.errors import BudgetReached
from backend.jobs import annotate
from backend.pool import batches, candidates, jobs, ledger, tasks
from backend.pool.database.engine import write
from backend.pool.database.tables import answers
from backend.pool.database.work_tables import batches as table
from backend.teacher import provider_batches as batch_jobs
from model.teacher.base import Teacher
from model.teacher.errors import TeacherError, TeacherUnavailable
from tests.support.batch_servers import AnthropicBatchServer, OpenAIBatchServer
from tests.support.llm import says_billing, with_llm
from tests.support.llm_server import Play
from tests.support.world import World, messages

BatchServer = OpenAIBatchServer | AnthropicBatchServer


@pytest.fixture(params=["openai", "anthropic"])
def llm(request: pytest.FixtureRequest, world: World) -> Iterator[BatchServer]:
    server = HTTPServer(port=0)
    server.start()
    found: BatchServer
    if request.param == "openai":
        found = OpenAIBatchServer(server, says_billing)
    else:
        found = AnthropicBatchServer(server, says_billing)
    with_llm(world, found, BATCH="always", BATCH_POLL_SECONDS=60.0)
    found.serve_batches(server)
    tasks.add(world.engine, 7, dict(enumerate((text for text, _ in messages()), start=1)))
    jobs.begin(world.engine, 7, "annotate")
    yield found
    assert found.problems == []
    server.stop()


def version(world: World) -> str:
    return world.current.teacher_version


def work(world: World) -> str:
    return annotate.work(world.job("annotate"))


def test_ids_are_stored_before_anybody_waits_and_the_job_comes_back_later(world: World, llm: BatchServer) -> None:
    assert work(world).endswith("14 are at the provider's batch service")
    (row,) = batches.unfinished(world.engine, 7)
    assert row.state == "open"
    assert row.ticket is not None
    assert list(row.ticket["batches"]) == list(llm.bodies)
    known = jobs.get(world.engine, 7)["annotate"]
    assert known.again
    assert known.due_ms > world.services.clock() + 50_000
    assert len(candidates.read(world.engine, 7, version(world))) == 1
    assert ledger.totals(world.engine, 7).unsettled_microusd == row.reserved_microusd > 0


def test_the_queue_runs_the_job_again_when_it_is_due(world: World, llm: BatchServer) -> None:
    work(world)
    assert world.services.queue.run_again("annotate", 7)
    assert world.services.queue.place("annotate", 7) == "scheduled"
    world.services.queue.enqueue("annotate", 7)
    assert world.services.queue.place("annotate", 7) == "waiting"


def test_another_process_collects_what_the_first_handed_over(world: World, llm: BatchServer) -> None:
    work(world)
    work(world)
    assert len(llm.bodies) == 1
    llm.finish()
    assert work(world) == "the teacher has been asked about every task"
    assert len(candidates.read(world.engine, 7, version(world))) == 15
    assert batches.unfinished(world.engine, 7) == []
    totals = ledger.totals(world.engine, 7)
    assert (totals.calls, totals.unsettled_microusd) == (15, 0)
    written = 250 * 10 if isinstance(llm, AnthropicBatchServer) else 0  # of the prompt cache, once, a quarter dearer
    tokens = 1040 if written else 100
    assert totals.microusd == 15 * (tokens * 10 + 10 * 20) + written  # TEACHER_PRICE knows no batch price
    assert len(llm.requests) == 1


def test_what_failed_or_expired_is_asked_again_and_nothing_else(world: World, llm: BatchServer) -> None:
    fates = {"my parcel is late": "expired", "where is my parcel": "server_error", "please refund the order": "refused"}
    llm.fate = lambda text: fates.get(text, "succeeded")  # type: ignore[assignment]
    work(world)
    llm.finish()
    work(world)
    stored = candidates.read(world.engine, 7, version(world))
    assert len(stored) == 14  # one of the two was asked directly, ahead of their batch
    assert sorted(map(len, llm.bodies.values())) == [1, 14]
    llm.fate = lambda text: "succeeded"  # type: ignore[assignment]
    llm.finish()
    work(world)
    stored = candidates.read(world.engine, 7, version(world))
    assert len(stored) == 15
    assert [row.state for row in stored.values()].count("refused") == 1
    assert ledger.totals(world.engine, 7).unsettled_microusd == 0


def test_a_task_that_no_batch_answers_is_asked_directly(world: World, llm: BatchServer) -> None:
    llm.fate = lambda text: "expired"  # type: ignore[assignment]
    for _ in range(4):
        work(world)
        llm.finish()
    work(world)
    assert len(candidates.read(world.engine, 7, version(world))) == 15
    assert len(llm.bodies) <= batch_jobs.MOST_TRIES


def test_a_refused_submission_costs_only_the_direct_question(world: World, llm: BatchServer) -> None:
    llm.most_batches = 0
    with pytest.raises(TeacherError):
        work(world)
    totals = ledger.totals(world.engine, 7)
    assert (totals.calls, totals.unsettled_microusd) == (1, 0)
    assert batches.unfinished(world.engine, 7) == []


def test_a_wrong_key_hands_nothing_over(world: World, llm: BatchServer) -> None:
    llm.script = lambda text, asked: Play(status=401, error="no such key")
    with pytest.raises(TeacherError):
        work(world)
    assert llm.bodies == {}
    assert ledger.totals(world.engine, 7).microusd == ledger.totals(world.engine, 7).unsettled_microusd == 0


def hand_over_and_lose_the_answer(world: World, llm: BatchServer) -> None:
    """The provider takes the batch, but its reply never comes."""
    llm.losing = True
    with pytest.raises(TeacherUnavailable):
        work(world)
    llm.losing = False
    assert len(llm.bodies) == 1
    (row,) = batches.unfinished(world.engine, 7)
    assert row.state == "submitting"


def test_a_batch_whose_submission_nobody_heard_of_is_found_and_paid_once(world: World, llm: BatchServer) -> None:
    hand_over_and_lose_the_answer(world, llm)
    assert work(world).endswith("14 are at the provider's batch service")
    llm.finish()
    for _ in range(3):
        work(world)
    assert len(llm.bodies) == 1
    assert len(candidates.read(world.engine, 7, version(world))) == 15
    totals = ledger.totals(world.engine, 7)
    assert (totals.calls, totals.unsettled_microusd, totals.lost_microusd) == (15, 0, 0)
    assert totals.batch_calls == 14  # the first question went directly


def test_what_never_reached_the_provider_is_handed_over_again_when_that_is_sure(world: World, llm: BatchServer) -> None:
    hand_over_and_lose_the_answer(world, llm)
    llm.bodies.clear()
    work(world)
    assert llm.bodies == {}
    assert ledger.totals(world.engine, 7).unsettled_microusd > 0
    with write(world.engine) as connection:
        connection.execute(sa.update(table).values(created_ms=table.c.created_ms - 601_000))
    work(world)
    assert len(llm.bodies) == 1
    llm.finish()
    work(world)
    assert len(candidates.read(world.engine, 7, version(world))) == 15
    assert ledger.totals(world.engine, 7).unsettled_microusd == 0


def test_a_teacher_of_another_provider_takes_over_and_the_money_stays_spent(world: World, llm: BatchServer) -> None:
    work(world)
    before = ledger.totals(world.engine, 7)
    with_llm(world, llm, TEACHER="similarity")
    batch_jobs.poll(world.job("annotate"), another_teacher(world), version(world))
    ledger.book_lost(world.engine, 7)
    totals = ledger.totals(world.engine, 7)
    assert (totals.unsettled_microusd, totals.lost_microusd) == (0, before.unsettled_microusd)


def another_teacher(world: World) -> Teacher:
    """The offline one: it cannot ask for the batch."""
    from model.teacher.similarity import SimilarityTeacher

    return SimilarityTeacher(world.project.space, lambda texts: np.ones((len(texts), 1), np.float32))  # type: ignore[arg-type]


def test_a_changed_prompt_cancels_the_batch_and_books_what_it_did_cost(world: World, llm: BatchServer) -> None:
    work(world)
    with_llm(world, llm, PROMPT="single", BATCH="off")
    work(world)
    assert set(llm.ended.values()) == {"cancelled"}
    assert len(candidates.read(world.engine, 7, version(world))) == 15
    jobs.begin(world.engine, 7, "annotate")
    tasks.add(world.engine, 7, {99: "one more"})
    work(world)
    assert batches.unfinished(world.engine, 7) == []
    assert ledger.totals(world.engine, 7).unsettled_microusd == 0


def test_answers_of_a_batch_are_kept_by_question(world: World, llm: BatchServer) -> None:
    work(world)
    llm.finish()
    work(world)
    with world.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(answers)) == 15
    with world.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM candidate_sets")
    asked = len(llm.requests), len(llm.bodies)
    work(world)
    assert (len(llm.requests), len(llm.bodies)) == asked
    assert len(candidates.read(world.engine, 7, version(world))) == 15


def test_a_small_budget_makes_a_small_batch(world: World, llm: BatchServer) -> None:
    with_llm(world, llm, budget=0.9, BATCH="always")
    with suppress(BudgetReached):
        work(world)
    totals = ledger.totals(world.engine, 7)
    assert 0 < totals.microusd + totals.unsettled_microusd <= 900_000


@pytest.mark.parametrize(("done", "missing", "expected"), [(0, 5_000, False), (200, 5_000, True), (200, 999, False)])
def test_auto_asks_some_directly_first_and_hands_many_over(
    world: World, llm: BatchServer, done: int, missing: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.teacher.project_teacher import open_teacher

    with_llm(world, "", TEACHER="openai:gpt-6-luna", TEACHER_PRICE="", BATCH="auto")
    job = world.job("annotate")
    figures = candidates.Figures(count=done)
    monkeypatch.setattr(batch_jobs.candidates, "figures", lambda *_: figures)
    teacher = open_teacher(world.current, lambda texts: None)  # type: ignore[arg-type,return-value]
    assert (batch_jobs.possible(job, teacher, version(world)) and batch_jobs.wanted(job, missing)) is expected
