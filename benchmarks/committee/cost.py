"""What the calls of a committee's teacher cost: estimated tokens of the product's own question, by the price table."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.committee.tasks import Project
from model.teacher.prompting.answers import render
from model.teacher.prompting.composing import Composer, likely_sent
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.prompting.tokens import estimate_tokens
from model.teacher.providers.prices import price_of

TEXTS = 200  # whose questions are counted
NAMED = 2  # labels of an answer


def with_costs(rows: list[dict[str, Any]], project: Project, model: str) -> list[dict[str, Any]]:
    """The rows, those of the project with `usd`: what their calls cost for 1,000 tasks, one text per call, without
    examples, nothing cached, no batch."""
    sent, written = tokens(project)
    price = price_of(model)
    dollars = (sent * price.input + written * price.output) / 1e6
    more = {"tokens_per_call": round(sent + written), "model": model}
    return [
        {**row, **more, "usd": round(1000 * row["share_of_calls"] * dollars, 5)}
        if row["dataset"] == project.name
        else row
        for row in rows
    ]


def tokens(project: Project) -> tuple[float, float]:
    """Tokens that a call sends and gets, on average."""
    prompt = Prompt(project.space, Strategy.ALL, 5)
    requests = Composer(prompt).requests(project.pool.texts[:TEXTS])
    sent = float(np.mean([likely_sent(request) for request in requests]))
    return sent, float(estimate_tokens(render(project.space.names[:NAMED])))
