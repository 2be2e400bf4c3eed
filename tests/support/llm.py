"""A project whose teacher is an LLM on loopback, for tests of money."""

from __future__ import annotations

import json
from typing import Any

from pydantic import SecretStr

from backend.pool import ledger
from backend.services import Services
from tests.support.llm_server import AnthropicServer, LlmServer
from tests.support.world import MESSAGES, World

LABEL_OF = {text: label for label, texts in MESSAGES.items() for text in texts}

KEY = "sk-test-0123456789abcdef"
MODEL = "openai:tiny-1"
CLAUDE = "anthropic:claude-tiny"


def says_billing(_text: str) -> str:
    """What the LLM answers to every text."""
    return json.dumps({"candidates": ["billing", "refund"]})


def with_llm(world: World, at: str | LlmServer, budget: float = 100.0, **settings: Any) -> None:
    """Make a server (by address: an OpenAI-compatible one) the project's teacher. `settings` override anything."""
    claude = isinstance(at, AnthropicServer)
    url = at if isinstance(at, str) else at.base_url
    own = {
        "TEACHER": CLAUDE if claude else MODEL,
        "OPENAI_API_KEY": SecretStr(KEY),
        "ANTHROPIC_API_KEY": SecretStr(KEY),
        "OPENAI_BASE_URL": "" if claude else url,
        "ANTHROPIC_BASE_URL": url if claude else "",
        "TEACHER_PRICE": "10,20",
        "BUDGET_USD": budget,
        "EXAMPLES": "none",
    }
    chosen = world.services.settings.model_copy(update={**own, **settings})
    world.services = Services(chosen, world.engine, world.services.queue, world.services.clock)
    ledger.set_cap(world.engine, 7, round(budget * 1e6))


def says(text: str) -> str:
    """The LLM knows the first message that the text contains."""
    found = next((label for message, label in LABEL_OF.items() if message in text), "billing")
    return json.dumps({"candidates": [found]})
