"""What the calls of a committee's teacher cost: estimated tokens of the product's own question, by the price table."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from benchmarks.committee_tasks import Project
from model.teacher.answers import render
from model.teacher.composing import Composer, likely_sent
from model.teacher.cost import price_of
from model.teacher.prompts import Prompt, Strategy
from model.teacher.tokens import estimate_tokens

TEXTS = 200  # whose questions are counted
NAMED = 2  # labels of an answer


def cost(project: Project, row: dict[str, Any], model: str) -> dict[str, Any]:
    """Of a row's calls, in US dollars per 1,000 tasks: one text per call, no examples, nothing cached, no batch."""
    sent, written = tokens(project)
    price = price_of(model)
    dollars = (sent * price.input + written * price.output) / 1e6
    found = {"tokens_per_call": round(sent + written), "usd": round(1000 * row["share_of_calls"] * dollars, 5)}
    return {**found, "model": model}


@lru_cache(maxsize=4)
def tokens(project: Project) -> tuple[float, float]:
    """Tokens that a call sends and gets, on average."""
    prompt = Prompt(project.space, Strategy.ALL, 5)
    requests = Composer(prompt).requests(project.pool.texts[:TEXTS])
    sent = float(np.mean([likely_sent(request) for request in requests]))
    return sent, float(estimate_tokens(render(project.space.names[:NAMED])))
