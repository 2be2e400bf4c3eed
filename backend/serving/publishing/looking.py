"""One look at an audit: what of the rest may keep the student's label, and the certificate that says why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from backend.pool import predictions, promises, tasks
from backend.pool.annotations import of_tasks
from backend.pool.certified import Role, Row, fingerprint
from backend.pool.promises import Promise
from backend.pool.set_aside import blind_rank
from backend.pool.standing import about
from backend.projects.job import Job
from backend.training.consensus import judged, votes_on
from model.labels import Decision
from model.promise.acceptance import breaking_number
from model.promise.border import look
from model.promise.forecast import forecast
from model.promise.looks import Step, attempt_risk, look_risk
from model.whole_answers import whole

UNANSWERED = ("", -1.0)  # a task without an answer is the last that could be left to the student
METHOD = "hypergeometric acceptance number, looks at fixed sizes"
ONE_PERSON = "what one person said; where several did, their consensus"
CONSENSUS = "the consensus of several people, each counted by how reliable they are (Dawid and Skene)"
ENDED = "no more tasks are left than may be wrong, so that nothing had to be audited"


@dataclass(frozen=True)
class Audit:
    """The pool at one moment. `undecided` are the tasks that the audit is drawn from, `audited` those of them that it
    asks for, `complete` whether people have answered all of these; `wrong` is where they said something else than the
    student. Answers are (label, probability) of every task of `undecided`; `votes` is what each of several people said
    (task to person to label)."""

    pool: tuple[int, ...]
    undecided: Mapping[int, tuple[str, float]]
    audited: frozenset[int]
    wrong: frozenset[int]
    decided: frozenset[int]
    complete: bool
    votes: Mapping[int, Mapping[int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a look found: the certificate, and a row for every task of the pool."""

    certificate: dict[str, Any]
    rows: list[Row]


def read_audit(job: Job, promise: Promise, version: str) -> Audit:
    """The audit as it stands, against the answers of `version`.

    Counted as wrong are skipped and narrowed decisions, and those that were made with an answer in sight.
    """
    engine, number = job.services.engine, job.number
    pool = tasks.all_ids(engine, number)
    outside, seen = promises.chosen_tasks(engine, number)
    rest = [task for task in pool if task not in outside]
    answers = standing_answers(job, version, rest)
    audited = {task for task in rest if promise.audits(task)}
    labels = judged(job.current)
    rows = of_tasks(engine, number, audited)
    swayed = {task for task in audited if any(row.shown_labels for row in rows.get(task, ()))} | seen
    finals = {task: labels[task].labels for task in audited & labels.keys() if labels[task].decision is Decision.FINAL}
    said = {task: whole(job.current.space, names) for task, names in finals.items()}
    wrong = {task for task in audited & labels.keys() if task in swayed or said.get(task) != answers[task][0]}
    final = {task for task in labels.keys() & answers.keys() if labels[task].decision is Decision.FINAL}
    complete = audited <= labels.keys() and not promises.unaudited(engine, number)
    votes = votes_on(engine, number, job.current.space, labels)
    return Audit(tuple(pool), answers, frozenset(audited), frozenset(wrong), frozenset(final), complete, votes)


def standing_answers(job: Job, version: str, of: Collection[int]) -> dict[int, tuple[str, float]]:
    """What `version` says about these tasks, as they are now. An empty set counts as no answer: an annotation without
    a region could not say who made it."""
    engine, number, space = job.services.engine, job.number, job.current.space
    stored = predictions.read(engine, number, version, of)
    sets = predictions.several(engine, number, version, of) if space.several else {}
    full = {task: whole(space, sets[task]) if sets.get(task) else "" for task in stored} if space.several else {}
    pairs = {task: (key, (full.get(task, label), score)) for task, (key, label, score) in stored.items()}
    pairs = {task: row if row[1][0] else (row[0], UNANSWERED) for task, row in pairs.items()}
    standing = about(pairs, tasks.hashes(engine, number, of))
    return {task: standing.get(task, UNANSWERED) for task in of}


def left_over(job: Job, promise: Promise, version: str) -> Audit | None:
    """What nobody has decided, once so little of it is left that it cannot break the promise; None before."""
    pool = tasks.all_ids(job.services.engine, job.number)
    labels = judged(job.current)
    rest = [task for task in pool if task not in labels or labels[task].decision is not Decision.FINAL]
    if len(rest) >= breaking_number(len(pool), promise.target):
        return None
    nobody: frozenset[int] = frozenset()
    return Audit(tuple(pool), standing_answers(job, version, rest), nobody, nobody, nobody, True)


def take_look(promise: Promise, audit: Audit, version: str, now: int) -> Found:
    """Apply the rule to a complete audit; `now` in UTC milliseconds."""
    pool, rest = len(audit.pool), len(audit.undecided)
    breaking = breaking_number(pool, promise.target)
    risk = look_risk(attempt_risk(1 - promise.confidence, promise.attempt), len(promise.sizes))
    places = {task: (1 - score, blind_rank(promise.project, task)) for task, (_, score) in audit.undecided.items()}
    found = look(places, audit.audited, audit.wrong, breaking, risk)
    answered = {task for task in found.accepted if audit.undecided[task][0]}
    rows = [_row(task, audit, answered) for task in audit.pool]
    accepted = sum(row.role == "accepted" for row in rows)
    certificate = {
        "made_ms": now,
        "method": METHOD,
        "version": version,
        "space_hash": promise.space_hash,
        "target": promise.target,
        "confidence": promise.confidence,
        "pool": pool,
        "allowed": breaking - 1,
        "undecided": rest,
        "attempt": promise.attempt,
        "look": promise.looks + 1,
        "looks": len(promise.sizes),
        "picks": list(promise.picks),
        "sizes": list(promise.sizes),
        "versions": 1,
        "voices": promise.voices,
        "answers": ONE_PERSON if promise.voices == 1 else CONSENSUS,
        "risk": risk,
        "ranks": f"SHA-256 of blind:{promise.project}:<task>, its first 53 bits as a share",
        "first": promise.first,
        "limit": promise.limit,
        "audited": found.audited,
        "acceptance": found.acceptance,
        "errors": found.errors,
        "border": list(found.border) if found.border is not None else None,
        "accepted": accepted,
        "people": sum(row.role == "people" for row in rows),
        "rows": fingerprint(rows),
    }
    return Found(certificate, rows)


def _row(task: int, audit: Audit, accepted: set[int]) -> Row:
    label, score = audit.undecided.get(task, UNANSWERED)
    role: Role = "people"
    if task not in audit.undecided:
        role = "chosen"
    elif task in audit.audited:
        role = "audit"
    elif task in audit.decided:
        role = "decided"
    elif task in accepted:
        role = "accepted"
    votes = {str(who): label for who, label in audit.votes.get(task, {}).items()} or None
    return Row(task, role, label, score, task in audit.wrong, votes=votes)


def expected(promise: Promise, audit: Audit, later: int) -> dict[str, Any] | None:
    """About how many decisions the promise takes in all, if it is made at one of the looks from number `later` on (the
    first is 0); None where there is none."""
    order = list(audit.undecided)
    chosen = len(audit.pool) - len(order)
    picks = promise.picks[later:] or (0,) * len(promise.sizes[later:])
    steps = [Step(max(0, picked - chosen), size) for picked, size in zip(picks, promise.sizes[later:], strict=True)]
    if not steps or not order:
        return None
    answered = audit.audited & (audit.decided | audit.wrong)
    places = np.array([place for place, task in enumerate(order) if task in answered], np.int64)
    wrong = np.array([float(order[place] in audit.wrong) for place in places.tolist()], np.float64)
    doubts = np.array([1 - max(0.0, audit.undecided[task][1]) for task in order], np.float64)
    risk = look_risk(attempt_risk(1 - promise.confidence, promise.attempt), len(promise.sizes))
    breaking = breaking_number(len(audit.pool), promise.target)
    found = asdict(forecast(doubts, places, wrong, breaking, steps, risk))
    return found | {name: found[name] + chosen for name in ("decisions", "low", "high", "hoped")}
