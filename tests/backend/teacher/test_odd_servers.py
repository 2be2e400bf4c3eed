"""LLM servers as they are, and the whole path through them: job, pool, ledger, page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from backend.jobs import annotate
from backend.jobs.run import _run
from backend.pool import candidates, jobs, ledger, tasks
from backend.projects.current import current_of
from backend.reporting.status import project_status
from backend.reporting.wording import phase_words
from backend.teacher.asking_again import forget_failed
from model.teacher.errors import TeacherRefused, TeacherUnavailable
from tests.support.llm import says, with_llm
from tests.support.odd_server import Odd, OddServer
from tests.support.world import World, messages

LONG = " ".join(["maybe billing or shipping, let me think."] * 40)


@pytest.fixture
def llm(world: World) -> Iterator[OddServer]:
    server = HTTPServer(port=0, threaded=True)
    server.start()
    found = OddServer(server, says)
    with_llm(world, found.base_url)
    tasks.add(world.engine, 7, dict(enumerate((text for text, _ in messages()), start=1)))
    yield found
    server.stop()


def run(world: World) -> dict[str, Any]:
    """The annotate job as a worker runs it; the status afterwards."""
    jobs.begin(world.engine, 7, "annotate")
    with suppress(TeacherUnavailable):  # RQ tries again; the row tells it
        _run(world.job("annotate"), annotate.work)
    return status(world)


def status(world: World) -> dict[str, Any]:
    return project_status(current_of(world.services, world.project))


def right(world: World) -> int:
    """Tasks whose first label is the right one."""
    stored = candidates.read(world.engine, 7, current_of(world.services, world.project).teacher_version)
    truth = [label for _, label in messages()]
    return sum(
        row.candidates is not None and row.candidates.labels == (truth[task - 1],) for task, row in stored.items()
    )


@pytest.mark.parametrize(
    "odd",
    [
        Odd(thoughts=LONG),
        Odd(thoughts=LONG, mark=("", "</think>")),
        Odd(thoughts="maybe billing", mark=("[THINK]", "[/THINK]")),
        Odd(thoughts=LONG, beside="reasoning_content"),
        Odd(thoughts=LONG, beside="reasoning", usage=None),
        Odd(thoughts=LONG, obeys="reasoning_effort", unknown=("chat_template_kwargs", "reasoning", "think")),
        Odd(thoughts=LONG, obeys="chat_template_kwargs", unknown=("reasoning_effort",)),
        Odd(thoughts=LONG, obeys="reasoning"),
        Odd(unknown=("response_format", "reasoning_effort", "chat_template_kwargs", "reasoning", "think")),
        Odd(parts=True),
        Odd(stream=True),
        Odd(usage="missing"),
        Odd(usage={}),
        Odd(usage={"prompt_tokens": 0, "completion_tokens": 0}),
        Odd(usage={"prompt_tokens": "many", "completion_tokens": None}),
    ],
)
def test_every_task_gets_the_right_label_and_no_call_is_free(world: World, llm: OddServer, odd: Odd) -> None:
    llm.odd = odd
    found = run(world)
    assert right(world) == 15
    assert found["asked"] == {"tasks": 15, "answered": 15, "abstained": 0, "refused": 0, "unreadable": 0}
    totals = ledger.totals(world.engine, 7)
    assert totals.microusd >= totals.calls * 500  # 10 and 20 dollars per million tokens, 100 tokens at least
    assert totals.unsettled_microusd == 0
    assert ("estimate" in world.told()) == (odd.usage is not True)


@pytest.mark.parametrize("thoughts", ["maybe billing or shipping " * 3000, "Hmm, I wonder. " * 3000])
@pytest.mark.parametrize("mark", [("<think>", "</think>"), ("", "")])
def test_a_teacher_that_only_thinks_stops_after_a_few_and_says_why(
    world: World, llm: OddServer, thoughts: str, mark: tuple[str, str]
) -> None:
    llm.odd = Odd(thoughts=thoughts, mark=mark)
    found = run(world)
    assert len(llm.requests) <= 10
    assert "hold no label that can be read" in found["teacher"]["stopped"]
    assert "thought for more than" in found["teacher"]["stopped"]
    assert found["asked"] == {"tasks": 5, "answered": 0, "abstained": 0, "refused": 0, "unreadable": 5}
    assert (found["phase"], found["with_candidates"]) == ("cold", 0)
    assert "shortlist" not in phase_words(found)
    assert "answered 0 (5 unreadable)" in phase_words(found)
    before = len(llm.requests)
    assert run(world)["teacher"]["stopped"]
    assert len(llm.requests) == before  # nobody pays for the same again


def test_what_failed_is_asked_again_once_the_server_is_mended(world: World, llm: OddServer) -> None:
    llm.odd = Odd(thoughts="maybe billing " * 3000)
    run(world)
    llm.odd = Odd()
    assert forget_failed(current_of(world.services, world.project)) == 5
    assert run(world)["asked"]["answered"] == right(world) == 15
    asked = len(llm.requests)
    run(world)
    assert len(llm.requests) == asked


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"error": {"message": "Insufficient credits", "code": 402}}, "refused", "no money"),
        ({"error": {"message": "No endpoints found for m", "code": 404}}, "refused", "No endpoints found"),
        ({"error": "Unexpected endpoint or method. (POST /chat/completions)"}, "refused", "Unexpected endpoint"),
        ({"detail": "model 'm' not found"}, "refused", "not found"),
        ({"choices": [{"error": {"code": 401, "message": "No auth credentials"}}]}, "refused", "OPENAI_API_KEY"),
        ({"error": {"message": "Rate limited upstream", "code": 429}}, "passing", "Rate limited upstream"),
        ({"error": {"message": "Provider returned error", "code": 502, "metadata": {"raw": "no memory"}}}, "passing",
         "no memory"),
        ("<!DOCTYPE html><html><title>Blocked by a filter</title></html>", "refused", "Blocked by a filter"),
        ("<html><h1>503 Service Unavailable</h1></html>", "passing", "503"),
        ('data: {"error": {"message": "quota", "code": "insufficient_quota"}}\n\n', "refused", "no money"),
        ({"object": "list", "data": []}, "refused", "answers in a row came like this"),
    ],
)  # fmt: skip
def test_what_comes_with_a_200_is_judged_by_its_own_words(
    world: World, llm: OddServer, body: Any, kind: str, words: str
) -> None:
    llm.odd = Odd(body=body if isinstance(body, str) else json.dumps(body), content_type="text/html")
    stopped = run(world)["teacher"]["stopped"]
    assert words in stopped
    assert ("tried again by itself" in stopped) == (kind == "passing")
    assert len(llm.requests) <= 5
    assert candidates.figures(world.engine, 7, current_of(world.services, world.project).teacher_version).count == 0


def test_a_web_filter_is_no_wrong_key_and_a_missing_v1_is_named(world: World, llm: OddServer) -> None:
    llm.odd = Odd(body="<html><title>Access denied</title></html>", status=403, content_type="text/html")
    stopped = run(world)["teacher"]["stopped"]
    assert "web page ('Access denied')" in stopped
    assert "OPENAI_API_KEY" not in stopped
    llm.odd = Odd(body='{"detail": "Not Found"}', status=404)
    with_llm(world, llm.base_url.removesuffix("/v1"))
    assert f"lacks /v1, as a rule it is {llm.base_url}" in run(world)["teacher"]["stopped"]


def test_one_text_does_not_teach_the_dialect_for_all(world: World, llm: OddServer) -> None:
    tasks.add(world.engine, 7, {1: "I was charged twice this month " * 200})
    llm.odd = Odd(longest=2000)
    found = run(world)
    assert (found["asked"]["answered"], found["asked"]["refused"]) == (14, 1)
    answered = [one for one in llm.requests if len(str(one["messages"])) < 4000]
    assert all("max_tokens" in one for one in answered)
    forget_failed(current_of(world.services, world.project))
    llm.odd = Odd()
    assert run(world)["asked"]["answered"] == 15


def test_a_question_that_was_cut_to_the_window_is_not_labelled(world: World, llm: OddServer) -> None:
    tasks.add(world.engine, 7, {1: "I was charged twice this month and nobody answers my letters " * 150})
    llm.odd = Odd(window=512)
    found = run(world)
    assert (found["asked"]["answered"], found["asked"]["unreadable"]) == (14, 1)
    assert "context window is too small" in world.told()


@pytest.mark.parametrize("as_date", [True, False])
def test_a_long_wait_is_waited_for(world: World, llm: OddServer, as_date: bool) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    headers = {"Retry-After": then if as_date else "3600"}
    llm.odd = Odd(body='{"error": {"message": "tomorrow"}}', status=429, headers=headers)
    assert re.search(r"in (59|60) minutes", run(world)["teacher"]["stopped"])
    assert len(llm.requests) == 1
    row = jobs.get(world.engine, 7)["annotate"]
    assert row.again
    assert row.due_ms - world.services.clock() > 3_000_000


def test_a_stopped_teacher_raises_a_refusal(world: World, llm: OddServer) -> None:
    llm.odd = Odd(body='{"error": {"code": 402, "message": "pay"}}')
    with pytest.raises(TeacherRefused, match="pay"):
        annotate.work(world.job("annotate"))
