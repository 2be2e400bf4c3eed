"""What may be said of a finished pool's errors, in figures and in one sentence."""

from __future__ import annotations

from typing import Any

from backend.errors import ShortlistError
from backend.pool import certified, figures, promises, tasks
from backend.pool.annotations import human_labels
from backend.pool.promises import Promise
from backend.pool.tallies import CHANGED, Tallies
from backend.projects import promised_parts as about
from backend.projects.current import Current
from backend.reporting import promise_wording as wording
from backend.reporting.kept import kept
from model.labels import Decision
from model.promise.acceptance import breaking_number, least_audit
from model.promise.forecast import rounded
from model.promise.looks import FIRST, attempt_risk

TABLES = ("promises", "chosen", "certified")


def promise_status(current: Current, now: Tallies | None = None) -> dict[str, Any] | None:
    """State, figures and sentence of the project's promise; None where none is asked for. `now` as for `kept`."""
    return kept(current, "promise", lambda: _promise_status(current), now, (*CHANGED, *TABLES))


def _promise_status(current: Current) -> dict[str, Any] | None:
    try:
        options, wrong = current.options, about.misnamed(current)
    except ShortlistError:
        return None
    if options.TARGET_ERROR <= 0:
        return None
    found = {"target": options.TARGET_ERROR, "confidence": options.CONFIDENCE, "state": "waiting", "certificate": None}
    if wrong:
        return {**found, "sentence": f"No promise can be made: {wrong}"}
    promise = promises.get(current.engine, current.number)
    if promise is None:
        return {**found, "sentence": "The audit for a promise begins once a student is served"}
    counts = _counts(current, promise)
    found |= {"state": promise.state, "certificate": promise.certificate, "forecast": promise.forecast, **counts}
    return {**found, "sentence": _sentence(current, promise, counts), "can_finish": promise.certificate is not None}


def still_to_see(current: Current) -> list[int]:
    """The tasks that a certificate leaves to people and nobody has decided, the most doubtful first; [] without one."""
    rows = certified.rows(current.engine, current.number, "people").values()
    done = human_labels(current.engine, current.number).keys() if rows else set()
    return [row.task for row in sorted(rows, key=lambda row: (row.score, row.task)) if row.task not in done]


def _counts(current: Current, promise: Promise) -> dict[str, int]:
    """Tasks: all, decided by people, left to the student, still to be seen by people, in the audit and not decided,
    chosen by scores and not decided."""
    engine, number = current.engine, current.number
    people = human_labels(engine, number)
    rows = certified.rows(engine, number)
    final = {task for task, label in people.items() if label.decision is Decision.FINAL}
    accepted = {task for task, row in rows.items() if row.role == "accepted"} - final
    total = tasks.count(engine, number)
    return {
        "tasks": total,
        "decided": figures.decided(engine, number),
        "accepted": len(accepted) if promise.certificate else 0,
        "to_see": max(0, total - len(final) - len(accepted)),
        "audit_left": len(promises.unaudited(engine, number)),
        "chosen_left": len(promises.unpicked(engine, promise)[0]) if promise.state == "auditing" else 0,
        "later": total - len(rows) if promise.certificate else 0,
    }


def _sentence(current: Current, promise: Promise, counts: dict[str, int]) -> str:
    sure = f"{100 * promise.confidence:.4g} % confidence"
    held = wording.held(current.space, promise)
    if promise.certificate is not None:
        told = (
            f"Of {counts['tasks']:,} tasks, {counts['decided']:,} are decided by people; {counts['accepted']:,} "
            f"{'have' if promise.state == 'finished' else 'can take'} the student's label; {counts['to_see']:,} more "
            f"must be seen by people. Then {held}, with {sure}{wording.too_rare(promise.certificate)}"
        )
        later = f". {counts['later']:,} tasks came later and are no part of it" if counts["later"] > 0 else ""
        return told + later + _more(promise, counts)
    if promise.state == "given up":
        last = promise.spared(counts["tasks"])
        until = f"{last:,} tasks are left, which then keep the student's label" if last else "all are decided"
        return f"To say that {held}, with {sure}, deciding all is nearly as fast: no promise is made until {until}"
    each = f", each by {promise.voices:,} people" if promise.voices > 1 else ""
    least = _least(promise, counts["tasks"])
    return (
        f"A promise that {held}, with {sure}, takes at least {least:,} randomly chosen tasks; "
        f"{counts['audit_left']:,} of the audit wait to be decided{each}, and {counts['chosen_left']:,} that the "
        f"student learns most from{_more(promise, counts)}"
    )


def _more(promise: Promise, counts: dict[str, int]) -> str:
    """The forecast, while it still matters."""
    if promise.state != "auditing" or promise.forecast is None:
        return ""
    left = {name: max(0, promise.forecast[name] - counts["decided"]) for name in ("decisions", "low", "high")}
    rough = ", roughly" if promise.forecast["rough"] else ""
    spread = f"{rounded(left['low']):,} to {rounded(left['high']):,}"
    return f". About {rounded(left['decisions']):,} more decisions until all is done ({spread}{rough})"


def _least(promise: Promise, tasks: int) -> int:
    """Of a promise with parts what the next look audits, as was fixed in advance."""
    if promise.parts:
        return promise.sizes[min(promise.looks, len(promise.sizes) - 1)]
    risk = attempt_risk(1 - promise.confidence, promise.attempt)
    return least_audit(tasks, breaking_number(tasks, promise.target), risk / FIRST)
