"""What a project's teacher has cost, in tokens and US dollars, for the status."""

from __future__ import annotations

from typing import Any

from backend.pool import ledger
from backend.pool.ledger import Totals
from backend.pool.tallies import Tallies
from backend.projects.current import Current
from backend.reporting.kept import kept


def booked(current: Current, now: Tallies) -> Totals:
    """Sums over the entries of the ledger, which are as many as the calls."""
    return kept(current, "booked", lambda: ledger.booked(current.engine, current.number), now, ("ledger",))


def mean_price(current: Current, now: Tallies) -> float | None:
    """US dollars per task that was asked about so far; None before anything was paid."""
    paid, asked = booked(current, now).microusd, now.of_table("candidate_sets")
    return paid / 1e6 / asked if paid and asked else None


def spending(current: Current, now: Tallies) -> dict[str, Any]:
    """Calls, tokens and money so far, and what may be spent; `now` are the project's tallies."""
    total = ledger.totals(current.engine, current.number, booked(current, now))
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
