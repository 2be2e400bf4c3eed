"""What a method makes of a pool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """People's decisions, questions to an LLM, the share of wrong labels in the finished pool, and whether the method
    promises that it is below the target."""

    human_decisions: int
    llm_calls: int
    realised_error: float
    promised: bool
