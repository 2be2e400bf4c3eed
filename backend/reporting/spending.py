"""What a project's teacher has cost, in tokens and US dollars, for the status."""

from __future__ import annotations

from typing import Any

from backend.pool import ledger
from backend.projects.current import Current


def spending(current: Current) -> dict[str, Any]:
    """Calls, tokens and money so far, and what may be spent."""
    total = ledger.totals(current.engine, current.number)
    budget = current.options.BUDGET_USD
    return {
        "calls": total.calls,
        "input_tokens": total.input_tokens,
        "cached_tokens": total.cached_tokens,  # part of them: read from the provider's prompt cache
        "output_tokens": total.output_tokens,
        "usd": total.microusd / 1_000_000,
        "lost_usd": total.lost_microusd / 1_000_000,  # part of it: calls of killed processes, at their upper bound
        "batch_calls": total.batch_calls,  # parts of calls and of usd: through a batch API
        "batch_usd": total.batch_microusd / 1_000_000,
        "carried_usd": total.carried_microusd / 1_000_000,  # in addition: by former projects with its number
        "set_aside_usd": total.unsettled_microusd / 1_000_000,  # in addition: what is under way can cost at most
        "budget_usd": budget,
    }
