"""What may be said of a finished pool's errors, in figures and in one sentence; and a certificate checked again."""

from __future__ import annotations

from collections import Counter
from typing import Any

from backend.errors import ShortlistError
from backend.pool import certified, figures, promises, tasks
from backend.pool.annotations import human_labels
from backend.pool.certified import Row
from backend.pool.promises import Promise
from backend.pool.set_aside import blind_rank
from backend.pool.tallies import CHANGED, Tallies
from backend.projects.current import Current
from backend.reporting.kept import kept
from backend.training.consensus import judged
from model.labels import Decision
from model.promise.acceptance import acceptance_number, breaking_number, least_audit
from model.promise.border import look
from model.promise.forecast import rounded
from model.promise.looks import FIRST, attempt_risk, look_risk

TABLES = ("promises", "chosen", "certified")
Check = tuple[str, Any, Any]  # what, as the certificate says, as it is found again


def promise_status(current: Current, now: Tallies | None = None) -> dict[str, Any] | None:
    """State, figures and sentence of the project's promise; None where none is asked for. `now` as for `kept`."""
    return kept(current, "promise", lambda: _promise_status(current), now, (*CHANGED, *TABLES))


def _promise_status(current: Current) -> dict[str, Any] | None:
    try:
        options, several = current.options, current.space.several
    except ShortlistError:
        return None
    if options.TARGET_ERROR <= 0:
        return None
    found = {"target": options.TARGET_ERROR, "confidence": options.CONFIDENCE, "state": "waiting", "certificate": None}
    if several:
        told = "No promise is made yet where several labels may be right, or several questions are asked"
        return {**found, "sentence": told}
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
    share = f"{100 * promise.target:.4g} %"
    if promise.certificate is not None:
        told = (
            f"Of {counts['tasks']:,} tasks, {counts['decided']:,} are decided by people; {counts['accepted']:,} "
            f"{'have' if promise.state == 'finished' else 'can take'} the student's label; {counts['to_see']:,} more "
            f"must be seen by people. Then at most {share} of all labels are wrong, with {sure}"
        )
        later = f". {counts['later']:,} tasks came later and are no part of it" if counts["later"] > 0 else ""
        return told + later + _more(promise, counts)
    if promise.state == "given up":
        last = breaking_number(counts["tasks"], promise.target) - 1
        return (
            f"For at most {share} wrong labels with {sure}, deciding all is nearly as fast: no promise is made until "
            f"{last:,} tasks are left, which then keep the student's label"
        )
    each = f", each by {promise.voices:,} people" if promise.voices > 1 else ""
    least = least_audit(counts["tasks"], breaking_number(counts["tasks"], promise.target), _risk(promise) / FIRST)
    return (
        f"A promise of at most {share} wrong labels with {sure} takes at least {least:,} randomly chosen tasks; "
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


def _risk(promise: Promise) -> float:
    return attempt_risk(1 - promise.confidence, promise.attempt)


def checks(current: Current, certificate: dict[str, Any]) -> list[Check]:
    """The certificate's figures beside what the stored rows give again: equal pairs, if nothing was changed."""
    rows = certified.rows(current.engine, current.number)
    rest = {task: row for task, row in rows.items() if row.role != "chosen"}
    audited = {task for task, row in rest.items() if row.role == "audit"}
    wrong = {task for task in audited if rows[task].wrong}
    ranks = {task: blind_rank(current.number, task) for task in rest}
    breaking = breaking_number(len(rows), certificate["target"])
    risk = look_risk(attempt_risk(1 - certificate["confidence"], certificate["attempt"]), certificate["looks"])
    places = {task: (1 - row.score, ranks[task]) for task, row in rest.items()}
    found = look(places, audited, wrong, breaking, risk)
    accepted = {task for task in found.accepted if rows[task].role != "decided" and rows[task].label}
    by_rank = {task for task, rank in ranks.items() if certificate["first"] <= rank < certificate["limit"]}
    border = list(found.border) if found.border is not None else None
    pairs = {
        "pool": len(rows),
        "allowed": breaking - 1,
        "undecided": len(rest),
        "audited": len(by_rank) if by_rank == audited else f"{len(by_rank ^ audited)} tasks differ from the ranks",
        "risk": risk,
        "acceptance": acceptance_number(len(rest), breaking, len(audited), risk),
        "errors": len(wrong),
        "border": border,
        "accepted": len(accepted),
        "rows": certified.fingerprint(rows.values()),
    }
    kept = {task for task, row in rows.items() if row.role == "accepted"}
    same = "the same tasks" if kept == accepted else f"{len(kept ^ accepted)} tasks differ"
    return [*((name, certificate[name], value) for name, value in pairs.items()),
            ("accepted tasks", "the same tasks", same)]  # fmt: skip


def changed_since(current: Current) -> int:
    """Audited tasks of which people, or their consensus, say something else now than when the certificate was made."""
    rows = certified.rows(current.engine, current.number, "audit")
    people = judged(current)
    return sum(_says_otherwise(row, people[task].labels if task in people else ()) for task, row in rows.items())


def _says_otherwise(row: Row, labels: tuple[str, ...]) -> bool:
    """Whether a right answer is wrong now. A wrong one may be so for how it was decided, which nothing changes."""
    return not row.wrong and labels != (row.label,)


def roles(current: Current) -> dict[str, int]:
    """How many tasks of the certificate's pool have which role."""
    return dict(Counter(row.role for row in certified.rows(current.engine, current.number).values()))
