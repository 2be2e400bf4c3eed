"""What may be said of a finished pool's errors, in figures and in one sentence."""

from __future__ import annotations

from typing import Any

from backend.errors import ShortlistError
from backend.pool import acquisition, certified, figures, jobs, promises, tasks
from backend.pool.annotations import human_labels
from backend.pool.promises import Promise
from backend.pool.tallies import CHANGED, Tallies
from backend.projects import promised_parts as about
from backend.projects.current import Current
from backend.projects.finishing import NOTHING_LEFT
from backend.reporting import promise_wording as wording
from backend.reporting.certificate import changed_since
from backend.reporting.kept import kept
from model.labels import Decision
from model.promise.acceptance import breaking_number, least_audit
from model.promise.forecast import rounded
from model.promise.looks import FIRST, attempt_risk

ASTRAY = (
    "Label Studio does not ask for these tasks first: `shortlist connect {}` lets it, or open them by the link here"
)
TABLES = ("promises", "chosen", "certified")


def promise_status(current: Current, now: Tallies | None = None) -> dict[str, Any] | None:
    """State, figures and sentence of the project's promise; None where none is asked for. `now` as for `kept`."""
    found = kept(current, "promise", lambda: _promise_status(current), now, (*CHANGED, *TABLES))
    return {**found, "hint": ASTRAY.format(current.project.label_studio_id)} if found and _astray(current) else found


def _astray(current: Current) -> bool:
    """Whether Label Studio was told of none of the tasks that people should decide next, though nobody is about to."""
    line = acquisition.line(current.engine, current.number, "people")
    row = jobs.get(current.engine, current.number).get("publish")
    if line is None or not line.tasks or line.done or line.version != current.served_version:
        return False
    return not current.project.elsewhere and row is not None and row.state == "idle" and not row.again


def _promise_status(current: Current) -> dict[str, Any] | None:
    try:
        options, wrong = current.options, about.misnamed(current)
    except ShortlistError:
        return None
    promise = promises.get(current.engine, current.number)
    finished = promise is not None and promise.state == "finished"  # that stands, whatever the options are now
    if options.TARGET_ERROR <= 0 and not finished:
        return None
    found = {"target": options.TARGET_ERROR, "confidence": options.CONFIDENCE, "state": "waiting", "certificate": None}
    if wrong and not finished:
        return {**found, "sentence": f"No promise can be made: {wrong}"}
    if promise is None and promises.all_decided(current.engine, current.number):
        return {**found, "sentence": f"No promise is needed: {NOTHING_LEFT}"}
    if promise is None:
        return {**found, "sentence": "The audit for a promise begins once a student is served"}
    counts = _counts(current, promise)
    found |= {"state": promise.state, "certificate": promise.certificate, "forecast": promise.forecast, **counts}
    return {**found, "sentence": _sentence(current, promise, counts), "can_finish": promise.certificate is not None}


def _counts(current: Current, promise: Promise) -> dict[str, int]:
    """Tasks: all, decided by people, left to the student, still to be seen by people, in the audit and not decided,
    chosen by scores and not decided. Since there is a certificate: tasks that came, that are gone, and audited ones of
    which people say something else now."""
    engine, number = current.engine, current.number
    people, total = human_labels(engine, number), tasks.count(engine, number)
    rows = certified.rows(engine, number) if promise.certificate else {}
    here = set(tasks.all_ids(engine, number)) if rows else people.keys()
    final = {task for task, label in people.items() if label.decision is Decision.FINAL} & here
    accepted = {task for task, row in rows.items() if row.role == "accepted"} & here - final
    return {
        "tasks": total,
        "decided": figures.decided(engine, number),
        "accepted": len(accepted),
        "to_see": max(0, total - len(final) - len(accepted)),
        "audit_left": len(promises.unaudited(engine, number)),
        "chosen_left": len(promises.unpicked(engine, promise)[0]) if promise.state == "auditing" else 0,
        "later": len(here - rows.keys()) if rows else 0,
        "gone": len(rows.keys() - here) if rows else 0,
        "changed": changed_since(current) if rows else 0,
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
        return told + wording.since(counts, promise.certificate["pool"]) + _more(promise, counts)
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
    ahead = {name: promise.forecast[name] - counts["decided"] for name in ("decisions", "low", "high")}
    left = {name: rounded(max(0, number)) for name, number in ahead.items()}
    if not left["high"]:
        return ""
    spread = [f"{left['low']:,} to {left['high']:,}"] if left["low"] < left["high"] else []
    more = ", ".join([*spread, *["roughly"] * bool(promise.forecast["rough"])])
    told = f". About {left['decisions']:,} more decisions until all is done"
    return f"{told} ({more})" if more else told


def _least(promise: Promise, tasks: int) -> int:
    """Of a promise with parts what the next look audits, as was fixed in advance."""
    if promise.parts:
        return promise.sizes[min(promise.looks, len(promise.sizes) - 1)]
    risk = attempt_risk(1 - promise.confidence, promise.attempt)
    return least_audit(tasks, breaking_number(tasks, promise.target), risk / FIRST)
