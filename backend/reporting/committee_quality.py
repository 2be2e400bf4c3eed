"""A served committee against people's labels: by who decided, by member, and whether the LLM alone would do better."""

from __future__ import annotations

from typing import Any

from backend.pool import figures, rulings, versions
from backend.pool.figures import Checked
from backend.pool.version_names import is_committee
from backend.projects.current import Current
from model.evaluation import rate

ENOUGH = 50  # checked tasks below which votes and LLM are not compared


def decided_by(current: Current, served: str | None) -> dict[str, int] | None:
    """Who decided how many tasks, where a committee is served; None otherwise."""
    if served is None or not is_committee(served):
        return None
    found = rulings.counts(current.engine, current.number, served)
    return {**found, "person": figures.decided(current.engine, current.number)}


def deciders(current: Current, served: str | None) -> dict[str, dict[str, Any]] | None:
    """How often each decider was right where people had its answer before them; None where no committee is served.

    `coverage` is the share of tasks whose right label stood in the form at all, alone or on a shortlist.
    """
    if served is None or not is_committee(served):
        return None
    found = rulings.checked(current.engine, current.number)
    return {
        source: {"accuracy": one.accuracy, "coverage": one.coverage, "human_checked": one.tasks}
        for source, one in found.items()
    }


def members(current: Current, served: str | None) -> list[dict[str, Any]] | None:
    """Who sits in the served committee: weight, how often it is `right` of `judged` labels of people that it had not
    learned, with whom it `agrees` how often there, and why its last training was refused (it did harm).
    """
    row = versions.get(current.engine, current.number, served) if served and is_committee(served) else None
    if row is None:
        return None
    found = row.metrics.get("training", {}).get("found", {})
    names, gates, known = found.get("members", []), found.get("gates", {}), found.get("compared", {})
    return [
        {
            "name": name,
            "weight": weight,
            "kept_old": gates[name]["reason"] if _refused(gates.get(name)) else None,
            "judged": known["voted"][place] if known else 0,
            "right": known["right"][place] / known["voted"][place] if known and known["voted"][place] else None,
            "agrees": dict(zip(names, known["same"][place], strict=True)) if known else {},
        }
        for place, (name, weight) in enumerate(zip(names, found.get("weights", []), strict=False))
    ]


def advice(current: Current, served: str | None, taught: str | None) -> str | None:
    """A sentence if the LLM is surely right more often than the committee's votes, else None.

    It is asked what the votes leave open, which is harder: if it is better even so, the votes decide too much.
    """
    if served is None or taught is None or not is_committee(served):
        return None
    votes = rulings.checked(current.engine, current.number).get("committee", Checked())
    llm = figures.teacher(current.engine, current.number, taught)
    ours, its = rate(votes.top1, votes.tasks), rate(llm.top1, llm.tasks)
    if ours is None or its is None or min(votes.tasks, llm.tasks) < ENOUGH or its.low <= ours.high:
        return None
    return (
        f"The teacher is right more often ({its.value:.0%} of {llm.tasks} checked tasks) than the committee's votes "
        f"({ours.value:.0%} of {votes.tasks}): with MODE=student it is asked about all tasks that BUDGET_USD "
        "pays for, and a student learns from its answers"
    )


def _refused(gate: dict[str, Any] | None) -> bool:
    return gate is not None and not gate["promoted"] and gate["reason"] != "no better"
