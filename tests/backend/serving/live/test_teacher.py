"""One freshly opened task: asked inside the request, bounded in time and money, and nothing paid for is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from backend.pool import candidates, claims, jobs, ledger, tasks
from backend.pool.text import text_hash
from backend.projects.current import current_of
from benchmarks.shared.waiting import wait_for
from model.labels import CandidateSet
from model.teacher.base import Answer, State, Usage
from model.teacher.errors import TeacherUnavailable
from tests.support.web_server import Server

TEXT = {9: "you charged me twice"}


class Paid:
    """A teacher that costs 100 micro-dollars a call and answers when it is allowed to."""

    name, hash, paid, fast = "test teacher", "abcdef", True, False

    def __init__(self) -> None:
        self.gate, self.asked, self.calls = threading.Event(), threading.Event(), 0
        self.error: Exception | None = None
        self.answer = Answer(
            State.ANSWERED, CandidateSet(("billing", "refund"), (0.7, 0.2)), "raw", Usage(1, 50, 0, 8, 90)
        )

    def shortlist(self, texts: Sequence[str]) -> list[Answer]:
        self.calls += 1
        self.asked.set()
        self.gate.wait(240)
        if self.error:
            raise self.error
        return [self.answer for _ in texts]

    def upper_bound_microusd(self, texts: Sequence[str]) -> int:
        return 100 * len(texts)


@pytest.fixture
def teacher(serve: Callable[..., Server]) -> Paid:
    return Paid()


@pytest.fixture
def server(serve: Callable[..., Server], teacher: Paid, request: pytest.FixtureRequest) -> Server:
    """A server whose teacher is there already, and an annotate job that has nothing to do.

    It waits long for a teacher that answers at once, however busy the machine is; the parameter is a shorter time.
    """
    started = serve(PREDICT_SECONDS=getattr(request, "param", 60.0))
    started.live.teacher = lambda *_: teacher  # type: ignore[method-assign,assignment,return-value]
    started.version()
    started.services.queue.cancel("annotate", 7)
    jobs.finish(started.services.engine, 7, "annotate")
    return started


def stored(server: Server) -> dict[int, candidates.Stored]:
    version = current_of(server.services, server.project()).teacher_version
    return candidates.read(server.services.engine, 7, version)


def test_a_quick_answer_is_sent_stored_and_paid_once(server: Server, teacher: Paid) -> None:
    teacher.gate.set()
    entries = [server.predict(TEXT)[0] for _ in range(3)]
    assert entries[0]["result"][0]["value"] == {"choices": ["billing", "refund"]}
    assert entries[0] == entries[1] == entries[2]
    assert teacher.calls == 1
    assert tasks.texts(server.services.engine, 7, [9]) == TEXT
    total = ledger.totals(server.services.engine, 7)
    assert (total.calls, total.microusd, total.unsettled_microusd) == (1, 90, 0)


@pytest.mark.parametrize("server", [0.2], indirect=True)
def test_a_slow_answer_does_not_hold_up_the_annotator_and_is_kept(server: Server, teacher: Paid) -> None:
    with ThreadPoolExecutor(3) as people:
        assert list(people.map(lambda _: server.predict(TEXT), range(3))) == [[[]]] * 3
    assert teacher.asked.wait(240)  # it may begin after the answers left
    assert teacher.calls == 1
    teacher.gate.set()
    until_stored(server)
    assert server.predict(TEXT)[0]["score"] == 0.7
    assert teacher.calls == 1


def test_without_money_nobody_is_asked(server: Server, teacher: Paid) -> None:
    server.version(extra={"BUDGET_USD": 0.00005})
    server.services.queue.cancel("annotate", 7)
    jobs.finish(server.services.engine, 7, "annotate")
    teacher.gate.set()
    assert server.predict(TEXT) == [[]]
    assert teacher.calls == 0
    assert ledger.totals(server.services.engine, 7).microusd == 0


def test_a_failing_teacher_costs_nothing_and_blocks_nobody(server: Server, teacher: Paid) -> None:
    teacher.gate.set()
    for error in (TeacherUnavailable("overloaded"), RuntimeError("a fault")):
        teacher.error = error
        assert server.predict(TEXT) == [[]]
    assert ledger.totals(server.services.engine, 7).unsettled_microusd == 0
    assert stored(server) == {}


def test_while_the_job_asks_nobody_else_does(server: Server, teacher: Paid) -> None:
    teacher.gate.set()
    jobs.begin(server.services.engine, 7, "annotate")
    assert server.predict(TEXT) == [[]]
    assert teacher.calls == 0


def test_after_a_wrong_key_only_the_job_tries_again(server: Server, teacher: Paid) -> None:
    teacher.gate.set()
    jobs.fail(server.services.engine, 7, "annotate", "no such key. Check OPENAI_API_KEY")
    assert server.predict(TEXT) == [[]]
    assert teacher.calls == 0


@pytest.mark.parametrize(("state", "expected"), [(State.ABSTAINED, True), (State.UNPARSED, False)])
def test_an_abstention_is_an_answer_and_nonsense_is_not(
    server: Server, teacher: Paid, state: State, expected: bool
) -> None:
    teacher.gate.set()
    teacher.answer = Answer(state, None, "raw")
    (entry,) = server.predict(TEXT)
    assert bool(entry) is expected
    assert not entry or (entry["result"], entry["score"]) == ([], 0.0)


def test_several_tasks_are_left_to_the_job(server: Server, teacher: Paid) -> None:
    teacher.gate.set()
    assert server.predict({9: "a", 10: "b"}) == [[], []]
    assert teacher.calls == 0


def until_stored(server: Server) -> None:
    for _ in range(600):
        if stored(server):
            return
        threading.Event().wait(0.05)
    raise AssertionError("the answer did not reach the pool")


def question(server: Server) -> tuple[sa.Engine, int, str, list[str]]:
    version = current_of(server.services, server.project()).teacher_version
    return server.services.engine, 7, version, [text_hash(TEXT[9])]


def test_what_another_process_asks_about_is_not_asked_here(server: Server, teacher: Paid) -> None:
    engine, project, version, texts = question(server)
    teacher.gate.set()
    with claims.asking(engine) as elsewhere:
        assert elsewhere.take(project, version, texts) == set(texts)
        assert server.predict(TEXT) == [[]]
        assert teacher.calls == 0
    server.parts.background.drain()
    jobs.finish(engine, project, "annotate", "")  # else a waiting job would be left to ask
    assert server.predict(TEXT)[0]["result"][0]["value"] == {"choices": ["billing", "refund"]}
    assert teacher.calls == 1


@pytest.mark.parametrize("server", [0.2], indirect=True)
def test_a_question_that_outlives_its_request_stays_claimed_until_its_answer_is_stored(
    server: Server, teacher: Paid
) -> None:
    engine, project, version, texts = question(server)
    assert server.predict(TEXT) == [[]]
    assert teacher.asked.wait(240)
    with claims.asking(engine) as elsewhere:
        assert elsewhere.take(project, version, texts) == set()
        teacher.gate.set()
        wait_for("the claim's end", lambda: bool(elsewhere.take(project, version, texts)), 240, 0.01)
        assert set(stored(server)) == {9}
    assert ledger.totals(engine, 7).calls == 1
