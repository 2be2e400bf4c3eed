"""Prices before a run, exact prompts, and which way of asking did best."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from backend.commands.annotate import tell as tell_question
from backend.commands.estimate import tell
from backend.errors import ProjectError, SettingsError
from backend.jobs import annotate
from backend.label_studio.instructions import instructions_of
from backend.pool import annotations, candidates, tasks
from backend.pool.text import text_hash
from backend.projects.updates import remember_instructions
from backend.reporting.prompt_preview import question_of, system_part
from backend.reporting.status import project_status
from backend.reporting.teacher_quality import hint, teacher_versions
from backend.teacher.estimate import estimate
from model.teacher.errors import TeacherRefused
from tests.support.embedding import embed
from tests.support.llm import says_billing, with_llm
from tests.support.llm_server import AnthropicServer, OpenAIServer, Play
from tests.support.samples import answered, labelled
from tests.support.world import World, messages


@pytest.fixture
def llm_server() -> Iterator[HTTPServer]:
    server = HTTPServer(port=0)
    server.start()
    yield server
    server.stop()


def fill(world: World, times: int = 1) -> None:
    tasks.add(world.engine, 7, dict(enumerate((text for text, _ in messages(times)), start=1)))


def test_the_offline_teacher_costs_nothing(world: World) -> None:
    fill(world)
    found = estimate(world.current, embed)  # type: ignore[arg-type]
    assert (found.tasks, found.calls, found.usd) == (15, 0, 0.0)
    assert tell(found) == "15 tasks for the offline similarity teacher (no LLM); it costs nothing"


def test_an_estimate_has_calls_tokens_price_and_the_date_of_the_prices(world: World) -> None:
    fill(world)
    with_llm(world, "", TEACHER="openai:gpt-6-luna", TEACHER_PRICE="")
    found = estimate(world.current, embed)  # type: ignore[arg-type]
    assert (found.tasks, found.kept, found.calls) == (15, 0, 15)
    assert found.prices == "2026-10-25"
    assert 0 < found.usd_cached <= found.usd < found.most_usd
    assert found.usd_batch == pytest.approx(found.usd / 2)
    assert found.usd == pytest.approx((found.input_tokens * 0.10 + found.output_tokens * 0.50) / 1e6)
    assert "prices of 2026-10-25" in tell(found)


def test_anthropic_counts_the_tokens_itself(world: World, llm_server: HTTPServer) -> None:
    fill(world)
    server = AnthropicServer(llm_server, says_billing)
    with_llm(world, server)
    found = estimate(world.current, embed)  # type: ignore[arg-type]
    assert (found.counted, found.calls) == (True, 15)
    assert len(server.counted) == 3
    assert server.problems == []
    per_call = len(server.counted[0]["system"][0]["text"]) + 40
    assert found.input_tokens == pytest.approx(15 * per_call, rel=0.05)
    assert " counted" in tell(found)
    assert server.requests == []  # counting is free, nobody was asked


def test_tokens_are_estimated_where_nobody_counts_them(world: World, llm_server: HTTPServer) -> None:
    fill(world)
    server = AnthropicServer(llm_server, says_billing, lambda text, asked: Play(404, "no such path"))
    with_llm(world, server)
    found = estimate(world.current, embed)  # type: ignore[arg-type]
    assert (found.counted, found.calls) == (False, 15)
    assert " estimated" in tell(found)
    assert "did not count the tokens: anthropic:claude-tiny: no such path. Check the model's name" in tell(found)
    with_llm(world, server, MODE="committee")
    assert "a committee asks about the first 200" in tell(estimate(world.current, embed))  # type: ignore[arg-type]


def test_a_model_without_a_price_is_refused_with_what_to_set(world: World) -> None:
    fill(world)
    with_llm(world, "", TEACHER="openai:nobody-knows", TEACHER_PRICE="")
    with pytest.raises(TeacherRefused, match="Set TEACHER_PRICE=input,output"):
        estimate(world.current, embed)  # type: ignore[arg-type]


def test_kept_answers_and_equal_texts_are_free(world: World, llm_server: HTTPServer) -> None:
    fill(world)
    server = OpenAIServer(llm_server, says_billing)
    with_llm(world, server.base_url)
    annotate.work(world.job("annotate"))
    candidates_gone(world)
    tasks.add(world.engine, 7, {100: "one more", 101: "one more"})
    found = estimate(world.current, embed)  # type: ignore[arg-type]
    assert (found.tasks, found.kept, found.calls) == (17, 16, 1)
    assert found.prices == "TEACHER_PRICE"


def candidates_gone(world: World) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM candidate_sets")


def test_an_estimate_is_near_what_is_paid_and_never_above_the_bound(world: World) -> None:
    fill(world, 40)
    with_llm(world, "", TEACHER="openai:gpt-6-luna", TEACHER_PRICE="", TEXTS_PER_CALL=10)
    many = estimate(world.current, embed)  # type: ignore[arg-type]
    assert many.calls == pytest.approx(60, abs=1)
    with_llm(world, "", TEACHER="openai:gpt-6-luna", TEACHER_PRICE="", TEXTS_PER_CALL=1, TEACHER_VOTES=3)
    votes = estimate(world.current, embed)  # type: ignore[arg-type]
    assert votes.calls == 1800
    assert votes.usd_batch is None


def test_a_dry_run_shows_the_exact_question_and_asks_nobody(world: World, llm_server: HTTPServer) -> None:
    fill(world)
    server = OpenAIServer(llm_server, says_billing)
    remember_instructions(world.current, {"description": "<p>Our <b>tickets</b></p>"})
    with_llm(world, server.base_url)
    found = question_of(world.current, embed)  # type: ignore[arg-type]
    assert server.requests == []
    annotate.work(world.job("annotate"))
    sent = server.requests[0]["messages"]
    assert [turn["content"] for turn in sent] == [
        found["requests"][0]["system"],
        found["requests"][0]["turns"][0]["text"],
    ]
    text = tell_question(found)
    assert "Our tickets" in text
    assert "--- user\n<text>\nI was charged twice this month\n</text>" in text
    assert json.dumps(found["requests"][0]["schema"]) in text
    assert system_part(world.current) == found["requests"][0]["system"]
    again = question_of(world.current, embed, 3)  # type: ignore[arg-type]
    assert again["task"] == 3
    with pytest.raises(ProjectError, match="no task 999"):
        question_of(world.current, embed, 999)  # type: ignore[arg-type]


def test_the_offline_teacher_has_no_prompt(world: World) -> None:
    fill(world)
    assert "there is no prompt" in tell_question(question_of(world.current, embed))  # type: ignore[arg-type]
    assert project_status(world.current)["teacher"]["prompt"] is None


def test_instructions_become_plain_text_and_a_new_version(world: World) -> None:
    with_llm(world, "")
    before = world.current.teacher_version
    stated = {"description": "Tickets\x00", "expert_instruction": "<h1>Rules</h1>never guess<script>x</script>"}
    assert instructions_of(stated) == "Tickets\ufffd\n\nRules\nnever guess"
    remember_instructions(world.current, stated)
    assert world.current.teacher_version != before
    with_llm(world, "", INSTRUCTIONS="none")
    assert world.current.teacher_version == before


def test_a_prompt_file_replaces_the_template_for_all_projects_or_one(world: World, tmp_path: Path) -> None:
    (tmp_path / "7.txt").write_text("Labels:\n$labels\n$task $form")
    with_llm(world, "")
    before = world.current.teacher_version
    with_llm(world, "", PROMPT_FILE=str(tmp_path / "{project}.txt"))
    assert str(system_part(world.current)).startswith("Labels:\n- ")
    assert world.current.teacher_version != before
    with_llm(world, "", PROMPT_FILE=str(tmp_path / "other-{project}.txt"))
    assert world.current.teacher_version == before


@pytest.mark.parametrize(
    ("content", "said"),
    [("no list", r"has no \$labels"), ("$labels $nonsense", r"\$nonsense is no placeholder"), ("$labels $", "lone"),
     (None, "No such file")],
)  # fmt: skip
def test_a_prompt_file_that_cannot_be_used_is_named(
    world: World, tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "prompt.txt"
    if content is not None:
        path.write_text(content)
    with_llm(world, "", PROMPT_FILE=str(path))
    with pytest.raises(SettingsError, match=said):
        world.current.teacher_version  # noqa: B018


def test_a_hint_names_the_prompt_that_did_better(world: World) -> None:
    fill(world, 6)
    annotations.save(world.engine, 7, [labelled(task, task, "billing") for task in range(1, 81)])
    versions = {}
    for way, labels in (("single", ["refund"]), ("all", ["refund", "billing"])):
        with_llm(world, "", PROMPT=way)
        versions[way] = world.current.teacher_version
        here = {task: text_hash(text) for task, text in tasks.texts(world.engine, 7, range(1, 81)).items()}
        rows = [(task, here[task], answered(*(["billing"] if task < 40 else labels))) for task in range(1, 81)]
        candidates.save(world.engine, 7, versions[way], rows)
    found = teacher_versions(world.current, versions["single"])
    assert [(one.strategy, one.human_checked) for one in found] == [("single", 80), ("all", 80)]
    assert found[0].coverage == pytest.approx(39 / 80)
    assert found[1].coverage == 1.0
    assert str(hint(found)).startswith("PROMPT=all did better: coverage 100.0% with 1.5 labels per set")
    assert hint(found[::-1]) is None
    assert hint([]) is None


def test_one_label_per_set_is_said_to_come_from_the_examples(world: World) -> None:
    fill(world, 4)
    for size, examples, said in ((1, "nearest", True), (2, "nearest", False), (1, "none", False)):
        with_llm(world, "", EXAMPLES=examples)
        version = world.current.teacher_version
        labels = ["refund", "billing"][:size]
        candidates.save(world.engine, 7, version, [(task, "h", answered(*labels)) for task in range(1, 61)])
        hinted = project_status(world.current)["teacher"]["hint"]
        assert (hinted is not None) == said
        assert not said or "EXAMPLES=none asks without them" in hinted
