"""Batch APIs from the job's side: nothing is handed over twice, a restart resumes from the pool, money is exact."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer

from backend.jobs import annotate
from backend.jobs import batches as batch_jobs
from backend.pool import batches, candidates, jobs, ledger, tasks
from backend.pool.tables import answers
from backend.services import teacher_version
from model.errors import TeacherError
from tests.backend.jobs.conftest import World, messages
from tests.backend.llm import OpenAIBatchServer, says_billing, with_llm
from tests.model.teacher.llm_server import Play


@pytest.fixture
def llm(world: World) -> Iterator[OpenAIBatchServer]:
    server = HTTPServer(port=0)
    server.start()
    found = OpenAIBatchServer(server, says_billing)
    found.serve_batches(server)
    with_llm(world, found.base_url, BATCH="always", BATCH_POLL_SECONDS=60.0)
    tasks.add(world.engine, 7, dict(enumerate((text for text, _ in messages()), start=1)))
    jobs.begin(world.engine, 7, "annotate")
    yield found
    server.stop()


def version(world: World) -> str:
    return teacher_version(world.services, world.project)


def work(world: World) -> str:
    return annotate.work(world.job("annotate"))


def test_ids_are_stored_before_anybody_waits_and_the_job_comes_back_later(world: World, llm: OpenAIBatchServer) -> None:
    assert work(world).endswith("15 are at the provider's batch service")
    (row,) = batches.unfinished(world.engine, 7)
    assert row.state == "open"
    assert row.ticket is not None
    assert list(row.ticket["batches"]) == list(llm.bodies)
    known = jobs.get(world.engine, 7)["annotate"]
    assert known.again
    assert known.due_ms > world.services.clock() + 50_000
    assert len(candidates.read(world.engine, 7, version(world))) == 1
    assert ledger.totals(world.engine, 7).unsettled_microusd == row.reserved_microusd > 0


def test_the_queue_runs_the_job_again_when_it_is_due(world: World, llm: OpenAIBatchServer) -> None:
    work(world)
    assert world.services.queue.run_again("annotate", 7)
    assert world.services.queue.place("annotate", 7) == "scheduled"
    world.services.queue.enqueue("annotate", 7)
    assert world.services.queue.place("annotate", 7) == "waiting"


def test_another_process_collects_what_the_first_handed_over(world: World, llm: OpenAIBatchServer) -> None:
    work(world)
    work(world)
    assert len(llm.bodies) == 1
    llm.finish()
    assert work(world) == "the teacher has been asked about every task"
    assert len(candidates.read(world.engine, 7, version(world))) == 15
    assert batches.unfinished(world.engine, 7) == []
    totals = ledger.totals(world.engine, 7)
    assert (totals.calls, totals.unsettled_microusd) == (15, 0)
    assert totals.microusd == 15 * (100 * 10 + 10 * 20)  # TEACHER_PRICE knows no batch price
    assert len(llm.requests) == 1


def test_what_failed_or_expired_is_asked_again_and_nothing_else(world: World, llm: OpenAIBatchServer) -> None:
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
    assert [row.state for row in stored.values()].count("abstained") == 1
    assert ledger.totals(world.engine, 7).unsettled_microusd == 0


def test_a_task_that_no_batch_answers_is_asked_directly(world: World, llm: OpenAIBatchServer) -> None:
    llm.fate = lambda text: "expired"  # type: ignore[assignment]
    for _ in range(4):
        work(world)
        llm.finish()
    work(world)
    assert len(candidates.read(world.engine, 7, version(world))) == 15
    assert len(llm.bodies) <= batch_jobs.MOST_TRIES


def test_a_refused_submission_costs_only_the_direct_question(world: World, llm: OpenAIBatchServer) -> None:
    llm.fate = lambda text: "succeeded"  # type: ignore[assignment]
    llm.files = None  # type: ignore[assignment]
    with pytest.raises(TeacherError):
        work(world)
    totals = ledger.totals(world.engine, 7)
    assert (totals.calls, totals.unsettled_microusd) == (1, 0)
    assert batches.unfinished(world.engine, 7) == []


def test_a_wrong_key_hands_nothing_over(world: World, llm: OpenAIBatchServer) -> None:
    llm.script = lambda text, asked: Play(status=401, error="no such key")
    with pytest.raises(TeacherError):
        work(world)
    assert llm.bodies == {}
    assert ledger.totals(world.engine, 7).microusd == ledger.totals(world.engine, 7).unsettled_microusd == 0


def test_a_process_killed_while_handing_over_is_told_and_its_money_stays_set_aside(
    world: World, llm: OpenAIBatchServer
) -> None:
    assert ledger.reserve(world.engine, 7, 5_000)
    batches.begin(world.engine, 7, version(world), {"t1": (1, "x")}, 5_000)
    work(world)
    assert [row.state for row in batches.unfinished(world.engine, 7)] == ["open"]
    llm.finish()
    work(world)
    assert ledger.totals(world.engine, 7).unsettled_microusd == 5_000


def test_a_changed_prompt_cancels_the_batch_and_books_what_it_did_cost(world: World, llm: OpenAIBatchServer) -> None:
    work(world)
    with_llm(world, llm.base_url, PROMPT="single", BATCH="off")
    work(world)
    assert set(llm.ended.values()) == {"cancelled"}
    assert len(candidates.read(world.engine, 7, version(world))) == 15
    jobs.begin(world.engine, 7, "annotate")
    tasks.add(world.engine, 7, {99: "one more"})
    work(world)
    assert batches.unfinished(world.engine, 7) == []
    assert ledger.totals(world.engine, 7).unsettled_microusd == 0


def test_answers_of_a_batch_are_kept_by_question(world: World, llm: OpenAIBatchServer) -> None:
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


def test_a_small_budget_makes_a_small_batch(world: World, llm: OpenAIBatchServer) -> None:
    with_llm(world, llm.base_url, budget=0.3, BATCH="always")
    work(world)
    totals = ledger.totals(world.engine, 7)
    assert totals.microusd + totals.unsettled_microusd <= 300_000


@pytest.mark.parametrize(("done", "missing", "expected"), [(0, 5_000, False), (200, 5_000, True), (200, 999, False)])
def test_auto_asks_some_directly_first_and_hands_many_over(
    world: World, llm: OpenAIBatchServer, done: int, missing: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.teaching import open_teacher

    with_llm(world, "", TEACHER="openai:gpt-6-luna", TEACHER_PRICE="", BATCH="auto")
    job = world.job("annotate")
    figures = candidates.Figures(count=done)
    monkeypatch.setattr(batch_jobs.candidates, "figures", lambda *_: figures)
    teacher = open_teacher(world.services, world.project, lambda texts: None)  # type: ignore[arg-type,return-value]
    assert (batch_jobs.possible(job, teacher, version(world)) and batch_jobs.wanted(job, missing)) is expected
