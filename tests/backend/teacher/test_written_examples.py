"""Examples that the LLM writes itself: paid once, within the budget, replaced by people's own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from backend.commands.annotate import tell
from backend.jobs import annotate
from backend.pool import annotations, candidates, ledger, tasks
from backend.pool.database.engine import write
from backend.pool.database.tables import candidate_sets
from backend.reporting.prompt_preview import question_of
from backend.teacher.estimate import estimate
from backend.teacher.project_teacher import examples_writer, labelled_examples
from tests.support.embedding import embed_words
from tests.support.llm import says_billing, with_llm
from tests.support.llm_server import OpenAIServer, Play
from tests.support.samples import labelled
from tests.support.world import World, messages

LABELS = ("billing", "refund", "shipping")


@pytest.fixture
def llm(world: World) -> Iterator[OpenAIServer]:
    """An LLM that writes two texts for every label when it is asked to."""
    server = HTTPServer(port=0, threaded=True)
    server.start()
    found = OpenAIServer(server, says_billing)

    def play(_text: str, _asked: int) -> Play | None:
        wish = found.requests[-1]["messages"][-1]["content"]
        label = next((name for name in LABELS if f'label "{name}"' in wish), None)
        return None if label is None else Play(text=json.dumps({"texts": [f"{label} at once", f"about {label}"]}))

    found.script = play
    with_llm(world, found, EXAMPLES="nearest", EXAMPLES_WRITTEN=2)
    tasks.add(world.engine, 7, dict(enumerate((text for text, _ in messages()), start=1)))
    yield found
    server.stop()


def test_they_are_written_once_paid_once_and_stand_before_the_text(
    world: World, llm: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "model.teacher.example_writing.THREADS", 1
    )  # the server tells wishes apart by the latest request
    found = question_of(world.current, embed_words)
    assert found["examples_to_write"] == 2
    assert "writes 2 examples per label" in tell(found)
    before = estimate(world.current, embed_words)
    assert before.calls == 3 + 15
    annotate.work(world.job("annotate"))
    assert len(llm.requests) == 3 + 15
    assert len(llm.requests[-1]["messages"]) == 1 + 2 * 6 + 1
    totals = ledger.totals(world.engine, 7)
    assert (totals.calls, totals.unsettled_microusd) == (18, 0)
    assert totals.microusd <= before.most_usd * 1e6
    with write(world.engine) as connection:
        connection.execute(candidate_sets.delete())
    annotate.work(world.job("annotate"))
    assert len(llm.requests) == 3 + 15
    found = question_of(world.current, embed_words)
    assert found["examples_to_write"] == 0
    assert "billing at once" in tell(found)


def test_the_version_knows_that_they_are_wanted(world: World, llm: OpenAIServer) -> None:
    version = world.current.teacher_version
    with_llm(world, llm, EXAMPLES="nearest", EXAMPLES_WRITTEN=0)
    assert world.current.teacher_version != version
    annotate.work(world.job("annotate"))
    assert len(llm.requests) == 15


def test_nobody_writes_when_people_have_labelled_every_label(world: World, llm: OpenAIServer) -> None:
    assert examples_writer(world.current, embed_words) is not None
    rows = [labelled(task, task, label) for task, (_, label) in enumerate(messages(), start=1)]
    annotations.save(world.engine, 7, rows)
    assert {example.label for example in labelled_examples(world.current)} == set(LABELS)
    assert examples_writer(world.current, embed_words) is None


def test_without_money_for_them_the_tasks_come_first(world: World, llm: OpenAIServer) -> None:
    with_llm(world, llm, budget=0.0, EXAMPLES="nearest", EXAMPLES_WRITTEN=2)
    writer = examples_writer(world.current, embed_words)
    assert writer is not None
    assert not writer.write(world.engine, 7, "teacher-x-y")
    assert llm.requests == []


def test_a_wrong_key_is_told_and_nothing_stays_set_aside(world: World, llm: OpenAIServer) -> None:
    from model.teacher.errors import TeacherRefused

    llm.script = lambda text, asked: Play(401, "no such key")
    with pytest.raises(TeacherRefused, match="no such key"):
        annotate.work(world.job("annotate"))
    assert ledger.totals(world.engine, 7).unsettled_microusd == 0
    assert candidates.read(world.engine, 7, world.current.teacher_version) == {}
