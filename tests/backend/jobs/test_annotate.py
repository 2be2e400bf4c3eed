"""Pre-annotation: chunks, money, what a change of the labels leaves valid. The LLM is a server on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from backend.errors import BudgetReached
from backend.jobs import annotate
from backend.pool import candidates, jobs, ledger, tasks, teachers, versions
from backend.pool.database.engine import now_ms
from backend.pool.text import text_hash
from backend.projects.updates import remember, remember_instructions
from backend.services import Services
from backend.teacher import carry_over
from benchmarks.shared.waiting import wait_for
from model.teacher.errors import TeacherRefused, TeacherUnavailable
from tests.support.label_studio_double import CONFIG
from tests.support.world import CREATED, World, messages

LLM = {
    "EXAMPLES": "none",
    "TEACHER": "openai:tiny-1",
    "OPENAI_API_KEY": SecretStr("sk-test-key-123"),
    "TEACHER_PRICE": "1000,2000",
}


def fill(world: World, times: int = 1) -> dict[int, str]:
    rows = dict(enumerate((text for text, _ in messages(times)), start=1))
    tasks.add(world.engine, 7, rows)
    return rows


def version(world: World) -> str:
    return world.current.teacher_version


def change_labels(world: World, change: Callable[[str], str]) -> None:
    remember(world.services, 7, CREATED, change(CONFIG))


def test_the_offline_teacher_answers_every_task_and_has_it_published(world: World) -> None:
    rows = fill(world)
    jobs.begin(world.engine, 7, "annotate")
    assert annotate.work(world.job("annotate")) == "the teacher has been asked about every task"
    stored = candidates.read(world.engine, 7, version(world))
    assert set(stored) == set(rows)
    sizes = [len(row.candidates.labels) for row in stored.values() if row.candidates]
    assert sizes
    assert max(sizes) <= 3
    assert world.services.queue.place("publish", 7) == "waiting"
    assert jobs.get(world.engine, 7)["annotate"].again is False


def test_a_slice_ends_and_asks_for_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = fill(world)
    monkeypatch.setattr(annotate, "FREE_CHUNK", 4)
    monkeypatch.setattr(annotate, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(annotate.time, "monotonic", _ticks())
    jobs.begin(world.engine, 7, "annotate")
    assert annotate.work(world.job("annotate")) == f"4 of {len(rows)} tasks have been shown to the teacher"
    assert jobs.get(world.engine, 7)["annotate"].again is True


def _ticks() -> Callable[[], float]:
    """A clock that stands still at first: one chunk fits into a slice of no length."""
    times = iter([0.0, -1.0])
    return lambda: next(times, 1.0)


def test_an_edited_text_is_asked_again(world: World) -> None:
    fill(world)
    annotate.work(world.job("annotate"))
    tasks.add(world.engine, 7, {1: "where is my parcel now"})
    assert tasks.without_candidates(world.engine, 7, version(world), 9) == [(1, "where is my parcel now")]
    annotate.work(world.job("annotate"))
    assert candidates.read(world.engine, 7, version(world))[1].text_hash == text_hash("where is my parcel now")


def test_removed_labels_cost_only_the_sets_that_lose_one(world: World) -> None:
    rows = fill(world)
    annotate.work(world.job("annotate"))
    before = candidates.read(world.engine, 7, version(world))
    change_labels(world, lambda config: config.replace('<Choice value="refund" hint="wants money back"/>', ""))
    job = world.job("annotate")
    carry_over.carry_over(job.current)
    carried = candidates.read(world.engine, 7, version(world))
    expected = {task for task, row in before.items() if not row.candidates or "refund" not in row.candidates.labels}
    assert 0 < len(expected) < len(rows)
    assert set(carried) == expected
    assert all(carried[task].candidates == before[task].candidates for task in expected)
    annotate.work(job)
    assert set(candidates.read(world.engine, 7, version(world))) == set(rows)


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.replace("late or lost", "delayed"),
        lambda config: config.replace("</Choices>", '<Choice value="other"/></Choices>'),
    ],
)
def test_added_labels_and_changed_hints_are_a_new_question(world: World, change: Callable[[str], str]) -> None:
    rows = fill(world)
    annotate.work(world.job("annotate"))
    change_labels(world, change)
    job = world.job("annotate")
    carry_over.carry_over(job.current)
    assert candidates.read(world.engine, 7, version(world)) == {}
    annotate.work(job)
    assert set(candidates.read(world.engine, 7, version(world))) == set(rows)


def test_after_changed_labels_the_student_is_trained_anew(world: World) -> None:
    rows = fill(world)
    known = {"candidate_sets": len(rows)}
    versions.add(world.engine, 7, f"student-1-{world.project.space_hash}", 1, world.project.space_hash, known, 9)
    annotate.work(world.job("annotate"))
    assert world.services.queue.place("train", 7) == "absent"
    change_labels(world, lambda config: config.replace("shipping", "delivery"))
    annotate.work(world.job("annotate"))
    assert world.services.queue.place("train", 7) == "waiting"


def test_many_more_candidate_sets_are_worth_another_training(world: World) -> None:
    rows = fill(world)
    known = {"candidate_sets": len(rows) // 2}
    versions.add(world.engine, 7, f"student-1-{world.project.space_hash}", 1, world.project.space_hash, known, 9)
    annotate.work(world.job("annotate"))
    assert world.services.queue.place("train", 7) == "waiting"


def test_a_training_that_began_after_the_last_answer_learns_from_all_of_them(world: World) -> None:
    fill(world)
    versions.add(world.engine, 7, f"student-1-{world.project.space_hash}", 1, world.project.space_hash, {}, 9)
    jobs.begin(world.engine, 7, "train")
    annotate.work(world.job("annotate"))  # its answers come while the training runs
    assert world.services.queue.cancel("train", 7)
    last = candidates.latest_ms(world.engine, 7, version(world))
    wait_for("another millisecond", lambda: now_ms() > last, 240, 0.001)
    jobs.begin(world.engine, 7, "train")
    annotate.work(world.job("annotate"))
    assert world.services.queue.place("train", 7) == "absent"


class Llm:
    """An OpenAI-compatible server: proposes two labels, or fails from the n-th call on."""

    def __init__(self, server: HTTPServer, failing_from: int = 10**9, status: int = 401) -> None:
        self.bad = ""  # questions about this text fail
        self.calls, self.failing_from, self.status = 0, failing_from, status
        server.expect_request("/v1/chat/completions", method="POST").respond_with_handler(self._answer)
        self.url = server.url_for("/v1")

    def _answer(self, request: Request) -> Response:
        self.calls += 1
        if self.bad and self.bad in request.get_data(as_text=True):
            return Response('{"error": {"message": "the end"}}', 503, {"x-should-retry": "false"})
        if self.calls >= self.failing_from:
            return Response('{"error": {"message": "no"}}', self.status, content_type="application/json")
        message = {"role": "assistant", "content": json.dumps({"candidates": ["refund", "billing"]})}
        body = {
            "id": "1", "object": "chat.completion", "created": 1, "model": "tiny-1",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }  # fmt: skip
        return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
def paid(world: World) -> Callable[..., Llm]:
    """Makes the project's teacher an LLM on loopback, with a budget in US dollars."""
    servers: list[HTTPServer] = []

    def make(budget: float, **faults: int) -> Llm:
        server = HTTPServer(port=0)
        server.start()
        servers.append(server)
        llm = Llm(server, **faults)
        update = {**LLM, "OPENAI_BASE_URL": llm.url, "BUDGET_USD": budget}
        settings = world.services.settings.model_copy(update=update)
        world.services = Services(settings, world.engine, world.services.queue)
        ledger.set_cap(world.engine, 7, round(budget * 1e6))
        return llm

    yield make  # type: ignore[misc]
    for server in servers:
        server.stop()


def test_what_an_llm_costs_is_booked_and_nothing_stays_reserved(world: World, paid: Callable[..., Llm]) -> None:
    rows = fill(world)
    llm = paid(budget=1000.0)
    annotate.work(world.job("annotate"))
    assert llm.calls == len(rows)
    totals = ledger.totals(world.engine, 7)
    assert (totals.calls, totals.input_tokens) == (len(rows), 100 * len(rows))
    assert totals.microusd == len(rows) * (100 * 1000 + 10 * 2000)
    assert totals.unsettled_microusd == 0
    annotate.work(world.job("annotate"))
    assert llm.calls == len(rows)


def test_the_budget_is_a_hard_stop_that_says_what_to_do(world: World, paid: Callable[..., Llm]) -> None:
    fill(world)
    llm = paid(budget=0.01)
    with pytest.raises(BudgetReached, match=r"\$0.00\d+ of BUDGET_USD=0.01 are spent.* Raise BUDGET_USD"):
        annotate.work(world.job("annotate"))
    assert llm.calls == 0
    changed = world.services.settings.model_copy(update={"BUDGET_USD": 50.0})  # raised; Label Studio says nothing
    world.services = Services(changed, world.engine, world.services.queue)
    annotate.work(world.job("annotate"))
    assert llm.calls == 15


def test_a_lowered_budget_holds_at_once(world: World, paid: Callable[..., Llm]) -> None:
    fill(world)
    llm = paid(budget=0.01)
    ledger.set_cap(world.engine, 7, 50_000_000)  # what the project was connected with
    with pytest.raises(BudgetReached):
        annotate.work(world.job("annotate"))
    assert llm.calls == 0


def test_answers_before_a_refusal_are_kept_and_paid(world: World, paid: Callable[..., Llm]) -> None:
    rows = fill(world)
    llm = paid(budget=1000.0, failing_from=6)
    with pytest.raises(TeacherRefused):
        annotate.work(world.job("annotate"))
    stored = candidates.read(world.engine, 7, version(world))
    totals = ledger.totals(world.engine, 7)
    assert 0 < len(stored) < len(rows)
    assert totals.calls >= len(stored)
    assert totals.unsettled_microusd == 0
    assert world.services.queue.place("publish", 7) == "waiting"
    llm.failing_from = 10**9
    before = llm.calls
    annotate.work(world.job("annotate"))
    assert llm.calls - before == len(rows) - len(stored)


def test_an_edited_description_pays_for_nothing_again_until_people_ask_for_it(
    world: World, paid: Callable[..., Llm]
) -> None:
    rows = fill(world)
    llm = paid(budget=1000.0)
    annotate.work(world.job("annotate"))
    first = version(world)
    remember_instructions(world.current, {"description": "Refunds are more urgent than bills"})
    second = version(world)
    assert second != first
    annotate.work(world.job("annotate"))
    assert llm.calls == len(rows)
    assert set(candidates.read(world.engine, 7, second)) == set(rows)
    tasks.add(world.engine, 7, {99: "a new task is asked with the new description"})
    annotate.work(world.job("annotate"))
    assert llm.calls == len(rows) + 1
    assert teachers.ask_anew(world.engine, 7, second) == len(rows)
    annotate.work(world.job("annotate"))
    assert llm.calls == 2 * len(rows) + 1
    assert set(candidates.read(world.engine, 7, second)) == {*rows, 99}
    assert teachers.ask_anew(world.engine, 7, second) == 0


def test_the_words_on_the_form_are_told_and_pay_for_nothing_again(world: World, paid: Callable[..., Llm]) -> None:
    rows = fill(world)
    llm = paid(budget=1000.0)
    annotate.work(world.job("annotate"))
    first = version(world)
    worded = CONFIG.replace("<Choices", '<Header value="What should be done first?"/><Choices')
    remember(world.services, 7, CREATED, worded)
    assert "What should be done first?\n[question]" in world.current.teacher_options.instructions
    assert version(world) != first
    annotate.work(world.job("annotate"))
    assert llm.calls == len(rows)
    assert set(candidates.read(world.engine, 7, version(world))) == set(rows)
    remember(world.services, 7, CREATED, worded, extra_params=json.dumps({"INSTRUCTIONS": "none"}))
    assert version(world) == first


def test_another_prompt_is_another_question(world: World, paid: Callable[..., Llm]) -> None:
    rows = fill(world)
    llm = paid(budget=1000.0)
    annotate.work(world.job("annotate"))
    world.set_options(PROMPT="single")
    annotate.work(world.job("annotate"))
    assert llm.calls == 2 * len(rows)


def test_one_failing_question_does_not_stop_the_others(world: World, paid: Callable[..., Llm]) -> None:
    rows = fill(world)
    llm = paid(budget=1000.0)
    llm.bad = "where is my parcel"
    with pytest.raises(TeacherUnavailable, match="the end"):
        annotate.work(world.job("annotate"))
    assert len(candidates.read(world.engine, 7, version(world))) == len(rows) - 1
    assert ledger.totals(world.engine, 7).unsettled_microusd == 0
    llm.bad = ""
    annotate.work(world.job("annotate"))
    assert len(candidates.read(world.engine, 7, version(world))) == len(rows)
    assert ledger.totals(world.engine, 7).calls == len(rows)
