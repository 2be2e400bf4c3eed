"""What servers of one protocol do not know is left out: by their complaints, and only where that helps."""

from __future__ import annotations

import json

from model.labels import LabelSpace
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers.anthropic import WAYS
from model.teacher.providers.dialect import Chosen, Dialect
from model.teacher.providers.openai import openai_dialect

WISHES = {"schema": {"type": "object"}, "max_tokens": 5, "temperature": None}


def after(dialect: Dialect, chosen: Chosen, complaint: str) -> Chosen:
    found = dialect.other(chosen, complaint)
    assert found is not None
    return found


def test_a_dialect_tries_another_way_of_what_is_complained_about() -> None:
    dialect = Dialect(openai_dialect(official=True))
    chosen = dialect.chosen()
    assert dialect.parameters(WISHES, chosen)["reasoning_effort"] == "none"
    for effort in ("minimal", "low", None):
        chosen = after(dialect, chosen, "Unsupported value: 'reasoning_effort' does not support that with this model.")
        assert dialect.parameters(WISHES, chosen).get("reasoning_effort") == effort
    chosen = after(dialect, chosen, "'max_completion_tokens' is unknown, use 'max_tokens'")
    assert dialect.parameters(WISHES, chosen)["max_tokens"] == 5
    chosen = after(dialect, chosen, "response_format is not supported")
    assert dialect.parameters(WISHES, chosen)["response_format"] == {"type": "json_object"}
    assert "temperature" not in dialect.parameters(WISHES, chosen)
    assert dialect.other(chosen, "the text is too long") is None
    assert dialect.chosen() == Dialect(openai_dialect(official=True)).chosen()  # nothing was given up so far


def test_a_way_is_given_up_only_once_another_one_has_worked_and_never_after_it_worked_itself() -> None:
    dialect = Dialect(openai_dialect(official=False))
    first = dialect.chosen()
    other = after(dialect, first, "response_format is unknown")
    dialect.worked(other, WISHES)
    assert dialect.chosen() == other
    assert after(dialect, first, "whatever") == other  # one that asked before it was learned
    assert dialect.other(other, "max_tokens must be at least 1, got -317") is None
    assert dialect.other(other, "this text breaks our response_format") is None
    assert after(dialect, other, "temperature is not supported") != other  # was never said before


def test_a_complaint_that_names_nothing_may_be_about_the_wish_not_to_think() -> None:
    dialect = Dialect(openai_dialect(official=False))
    said = dialect.parameters(WISHES)
    polite = {"reasoning_effort", "chat_template_kwargs", "reasoning", "think"}
    assert polite <= set(said)
    chosen = after(dialect, dialect.chosen(), "Bad Request")
    assert set(said) - set(dialect.parameters(WISHES, chosen)) == polite
    assert dialect.other(chosen, "Bad Request") is None


def test_several_unknown_wishes_not_to_think_are_dropped_together() -> None:
    dialect = Dialect(openai_dialect(official=False))
    chosen = after(dialect, dialect.chosen(), "Unrecognized request arguments supplied: chat_template_kwargs, think")
    said = dialect.parameters(WISHES, chosen)
    assert (said["reasoning_effort"], "think" in said, "chat_template_kwargs" in said) == ("none", False, False)


def test_only_servers_of_ones_own_are_told_how_long_a_list_may_be() -> None:
    wishes = {"schema": Prompt(LabelSpace.of("abc"), Strategy.ALL, 2).schema()}

    def sent(dialect: Dialect, chosen: Chosen | None = None) -> str:
        return json.dumps(dialect.parameters(wishes, chosen))

    assert "maxItems" not in sent(Dialect(openai_dialect(official=True))) + sent(Dialect(WAYS))
    local = Dialect(openai_dialect(official=False))
    assert '"maxItems": 2' in sent(local)
    chosen = after(local, local.chosen(), "Unsupported keyword: maxItems")
    assert "maxItems" not in sent(local, chosen)
    assert '"enum"' in sent(local, chosen)
