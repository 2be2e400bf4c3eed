"""The two vendors whose protocol we speak, each with its server on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_httpserver import HTTPServer

from model.labels import LabelSpace
from model.teacher.llm import LlmTeacher
from model.teacher.prompting.composing import Composer
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers.anthropic import AnthropicProvider
from model.teacher.providers.openai import OpenAIProvider
from model.teacher.providers.prices import Price
from model.teacher.providers.provider import SdkProvider
from model.teacher.providers.throttle import Throttle
from tests.support.llm_server import AnthropicServer, LlmServer, OpenAIServer, Script

SPACE = LabelSpace.of(["spam", "ham", "eggs"])
KEY = "sk-test-0123456789abcdef"
PRICE = Price(1.0, 10.0, 0.1, 1.25, 0.5)


def echo(text: str) -> str:
    """The text names its labels, separated by spaces."""
    return json.dumps({"candidates": text.split("#", maxsplit=1)[0].split()})


@dataclass(frozen=True)
class Vendor:
    """One of the two: how it is asked, and what its server says."""

    provider: type[SdkProvider]
    server: Callable[..., LlmServer]
    teacher: str  # TEACHER
    key_setting: str
    cut_off: str  # how an answer ends that has no more room

    def start(self, http_server: HTTPServer, script: Script | None = None) -> LlmServer:
        return self.server(http_server, echo, script)

    def asks(self, server: LlmServer, address: str = "", **options: Any) -> LlmTeacher:
        """A teacher that asks this server, or whatever is at the address."""
        throttle = Throttle()
        provider = self.provider(self.model, KEY, PRICE, address or server.base_url, throttle.heard, **options)
        return LlmTeacher(provider, Composer(Prompt(SPACE, Strategy.ALL, 2)), PRICE, throttle)

    @property
    def model(self) -> str:
        return self.teacher.partition(":")[2]


OPENAI = Vendor(OpenAIProvider, OpenAIServer, "openai:gpt-4o-mini", "OPENAI_API_KEY", "length")
CLAUDE = Vendor(AnthropicProvider, AnthropicServer, "anthropic:claude-haiku-5-5", "ANTHROPIC_API_KEY", "max_tokens")
