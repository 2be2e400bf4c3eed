"""No question is paid twice: not by a rerun, not after a crash, not by another project."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from backend.jobs import annotate
from backend.pool import candidates, ledger, tasks
from backend.pool.database.engine import write
from backend.pool.database.tables import candidate_sets
from backend.teacher.kept_answers import answer_from, answer_to
from backend.teacher.project_teacher import labelled_examples, llms_of, open_teacher
from model.labels import CandidateSet
from model.teacher.base import Answer, State, Usage
from model.teacher.errors import TeacherError
from tests.support.embedding import embed
from tests.support.llm import says_billing, with_llm
from tests.support.llm_server import OpenAIServer, Play
from tests.support.samples import labelled
from tests.support.world import World, messages


@pytest.fixture
def llm(world: World) -> Iterator[OpenAIServer]:
    server = HTTPServer(port=0)
    server.start()
    found = OpenAIServer(server, says_billing)
    with_llm(world, found.base_url)
    tasks.add(world.engine, 7, dict(enumerate((text for text, _ in messages()), start=1)))
    yield found
    server.stop()


def forget_candidates(world: World) -> None:
    with write(world.engine) as connection:
        connection.execute(candidate_sets.delete())


@pytest.mark.parametrize(
    "settings", [{}, {"TEXTS_PER_CALL": 4}, {"TEACHER_VOTES": 3}, {"TEACHER": "openai:tiny-1+openai:tiny-2"}]
)
def test_a_rerun_makes_no_call(world: World, llm: OpenAIServer, settings: dict[str, object]) -> None:
    with_llm(world, llm.base_url, **settings)
    annotate.work(world.job("annotate"))
    version = world.current.teacher_version
    before, asked = candidates.read(world.engine, 7, version), len(llm.requests)
    spent = ledger.totals(world.engine, 7)
    forget_candidates(world)
    annotate.work(world.job("annotate"))
    assert len(llm.requests) == asked > 0
    assert candidates.read(world.engine, 7, version) == before
    assert ledger.totals(world.engine, 7) == spent
    assert spent.unsettled_microusd == 0


def test_another_prompt_or_server_is_another_question(world: World, llm: OpenAIServer) -> None:
    annotate.work(world.job("annotate"))
    asked = len(llm.requests)
    with_llm(world, llm.base_url, PROMPT="single")
    annotate.work(world.job("annotate"))
    assert len(llm.requests) == 2 * asked
    forget_candidates(world)
    with_llm(world, llm.base_url.replace("localhost", "127.0.0.1") + "/")
    annotate.work(world.job("annotate"))
    assert len(llm.requests) == 3 * asked


def test_what_was_answered_before_an_outage_is_not_asked_again(world: World, llm: OpenAIServer) -> None:
    llm.script = lambda text, asked: Play(status=401, error="no") if text == "my parcel is late" else None
    with pytest.raises(TeacherError):
        annotate.work(world.job("annotate"))
    answered = llm.answered
    forget_candidates(world)
    llm.script = lambda text, asked: None
    annotate.work(world.job("annotate"))
    assert llm.answered == 15
    assert 0 < answered < 15
    assert ledger.totals(world.engine, 7).calls == 15


def test_kept_and_new_answers_come_in_order(world: World, llm: OpenAIServer) -> None:
    llm.answer = lambda text: f'{{"candidates": ["{"refund" if "money" in text else "shipping"}"]}}'
    teacher = open_teacher(world.current, embed)
    teacher.shortlist(["a parcel", "my money"])
    found = teacher.shortlist(["money again", "my money", "another", "a parcel", "another"])
    names = [answer.candidates.labels[0] for answer in found if answer.candidates]
    assert names == ["refund", "refund", "shipping", "shipping", "shipping"]
    assert [answer.usage.calls for answer in found] == [1, 0, 1, 0, 0]
    assert teacher.upper_bound_microusd(["a parcel", "my money"]) == 0
    assert teacher.upper_bound_microusd(["never seen"]) > 0


@pytest.mark.parametrize(
    "answer",
    [
        Answer(State.ANSWERED, CandidateSet(("a", "b"), (0.5, 0.25)), "raw", Usage(1, 2, 0, 3, 4), "repaired"),
        Answer(State.ANSWERED, CandidateSet(("a", "b"), (), ("a",)), "raw", Usage()),
        Answer(State.ANSWERED, CandidateSet((), (), ()), "raw", Usage()),
        Answer(State.ABSTAINED, None, "no\u2028 \x00", Usage(), "declined"),
        Answer(State.UNPARSED, None, "", Usage()),
    ],
)
def test_an_answer_survives_keeping_free_of_charge(answer: Answer) -> None:
    again = answer_from(answer_to(answer))
    assert (again.state, again.candidates, again.raw, again.reason) == (
        answer.state, answer.candidates, answer.raw, answer.reason
    )  # fmt: skip
    assert again.usage == Usage()


def test_examples_are_human_labels_but_none_that_students_are_judged_by(world: World, llm: OpenAIServer) -> None:
    from backend.pool import annotations
    from backend.pool.set_aside import is_held_out

    rows = [labelled(task, task, *(["billing"] if task < 14 else ["billing", "refund"])) for task in range(1, 16)]
    annotations.save(world.engine, 7, rows)
    with_llm(world, llm.base_url, EXAMPLES="nearest", EXAMPLE_COUNT=3)
    examples = labelled_examples(world.current)
    texts = tasks.texts(world.engine, 7, list(range(1, 14)))
    assert {example.text for example in examples} == {text for task, text in texts.items() if not is_held_out(7, task)}
    assert {example.label for example in examples} == {"billing"}
    (composer,) = [one.composer for one in llms_of(open_teacher(world.current, embed))]  # type: ignore[arg-type]
    own = examples[0].text
    turns = composer.requests([own])[0].turns
    assert len(turns) == 7
    assert all(own not in turn.text for turn in turns[:-1])
