from __future__ import annotations

import sqlalchemy as sa

from backend.pool import answers
from model.teacher.base import Usage

MODEL, PROMPT = "openai:gpt-small", "c0ffee"


def test_replies_are_read_as_they_were_saved(engine: sa.Engine) -> None:
    answers.save(
        engine, MODEL, PROMPT, {"h1": ('{"candidates": ["refund"]}', Usage(1, 50, 20, 8, 120)), "h2": ("", Usage())}
    )
    assert answers.read(engine, MODEL, PROMPT, ["h1", "h3"]) == {
        "h1": answers.Reply('{"candidates": ["refund"]}', 1, 50, 20, 8, 120)
    }
    assert set(answers.read(engine, MODEL, PROMPT, ["h1", "h2"])) == {"h1", "h2"}
    assert answers.read(engine, MODEL, PROMPT, []) == {}


def test_another_model_or_prompt_is_another_question(engine: sa.Engine) -> None:
    answers.save(engine, MODEL, PROMPT, {"h1": ("a", Usage())})
    answers.save(engine, MODEL, "decade", {"h1": ("b", Usage())})
    assert answers.read(engine, "openai:gpt-large", PROMPT, ["h1"]) == {}
    assert answers.read(engine, MODEL, PROMPT, ["h1"])["h1"].raw == "a"
    assert answers.read(engine, MODEL, "decade", ["h1"])["h1"].raw == "b"


def test_a_newer_reply_replaces(engine: sa.Engine) -> None:
    answers.save(engine, MODEL, PROMPT, {"h1": ("a\x00", Usage())})
    answers.save(engine, MODEL, PROMPT, {"h1": ("b\x00", Usage(microusd=3))})
    answers.save(engine, MODEL, PROMPT, {})
    assert answers.read(engine, MODEL, PROMPT, ["h1"]) == {"h1": answers.Reply("b�", 0, 0, 0, 0, 3)}
