"""One look at an audit: what of the rest may keep the student's label, and the certificate that says why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from backend.label_studio.predictions import regions
from backend.pool import predictions, promises, tasks
from backend.pool.annotations import of_tasks
from backend.pool.certified import Role, Row, fingerprint
from backend.pool.promises import Promise
from backend.pool.set_aside import blind_rank
from backend.pool.standing import about
from backend.projects.current import Current
from backend.projects.job import Job
from backend.training.consensus import judged, votes_on
from model.labels import Decision, LabelSpace
from model.promise.acceptance import breaking_number
from model.promise.forecast import Forecast, forecast, together
from model.promise.looks import Step, attempt_risk, look_risk
from model.promise.parts import Part, Seen, left_blank, look_at, lost, members
from model.whole_answers import labels_of, whole

UNANSWERED = ("", -1.0)  # a task without an answer is the last that could be left to the student
METHOD = "hypergeometric acceptance number, looks at fixed sizes"
METHOD_OF_LOSSES = "acceptance number of losses in [0, 1] (convex order, hypergeometric), looks at fixed sizes"
ONE_PERSON = "what one person said; where several did, their consensus"
CONSENSUS = "the consensus of several people, each counted by how reliable they are (Dawid and Skene)"
ENDED = "no more tasks are left than may be wrong, so that nothing had to be audited"


@dataclass(frozen=True)
class Audit:
    """The pool at one moment. `undecided` are the tasks that the audit is drawn from, `audited` those of them that it
    asks for, `complete` whether people have answered all of these; `wrong` is where they said something else than the
    student, `lost` what the answer to every audited and decided task loses by question, in units. Answers are (label,
    probability) of every task of `undecided`; `votes` is what each of several people said (task to person to label)."""

    pool: tuple[int, ...]
    undecided: Mapping[int, tuple[str, float]]
    audited: frozenset[int]
    wrong: frozenset[int]
    decided: frozenset[int]
    complete: bool
    votes: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    lost: Mapping[int, Mapping[str, int]] = field(default_factory=dict)


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
    told = {task: None if task in swayed else finals.get(task) for task in audited & labels.keys()}
    losses = {task: losing(job.current.space, promise.about, answers[task][0], right) for task, right in told.items()}
    wrong = {task for task, units in losses.items() if any(units.values())}
    final = {task for task in labels.keys() & answers.keys() if labels[task].decision is Decision.FINAL}
    complete = audited <= labels.keys() and not promises.unaudited(engine, number)
    votes = votes_on(engine, number, job.current.space, labels)
    return Audit(tuple(pool), answers, frozenset(audited), frozenset(wrong), frozenset(final), complete, votes, losses)


def losing(space: LabelSpace, parts: Sequence[Part], answer: str, right: Collection[str] | None) -> dict[str, int]:
    """What an answer loses by question, in units; all of it where nobody knows what is right, or nothing was said."""
    said = labels_of(space, answer)
    return {
        part.question: part.steps if right is None or not answer else lost(space, part, said, right) for part in parts
    }


def standing_answers(job: Job, version: str, of: Collection[int]) -> dict[int, tuple[str, float]]:
    """What `version` says about these tasks, as they are now; nothing where that could not be left to it."""
    engine, number, space = job.services.engine, job.number, job.current.space
    stored = predictions.read(engine, number, version, of)
    sets = predictions.several(engine, number, version, of) if space.several else {}
    said = {task: whole(space, sets.get(task, ())) if space.several else row[1] for task, row in stored.items()}
    written = {answer for answer in set(said.values()) if _can_be_left(job.current, answer)}
    pairs = {
        task: (key, (said[task], score) if said[task] in written else UNANSWERED)
        for task, (key, _, score) in stored.items()
    }
    standing = about(pairs, tasks.hashes(engine, number, of))
    return {task: standing.get(task, UNANSWERED) for task in of}


def _can_be_left(current: Current, answer: str) -> bool:
    """Whether Label Studio could show who gave an answer: not of one that ticks nothing, because an annotation without
    a region cannot say who made it; nor of one that leaves open a question that is asked."""
    said = labels_of(current.space, answer)
    return bool(regions(current.control, said)) and not (current.space.several and left_blank(current.space, said))


def left_over(job: Job, promise: Promise, version: str) -> Audit | None:
    """What nobody has decided, once so little of it is left that it cannot break the promise; None before."""
    pool = tasks.all_ids(job.services.engine, job.number)
    labels = judged(job.current)
    rest = [task for task in pool if task not in labels or labels[task].decision is not Decision.FINAL]
    if len(rest) > promise.spared(len(pool)):
        return None
    nobody: frozenset[int] = frozenset()
    return Audit(tuple(pool), standing_answers(job, version, rest), nobody, nobody, nobody, True)


def take_look(space: LabelSpace, promise: Promise, audit: Audit, version: str, now: int) -> Found:
    """Apply the rule to a complete audit; `now` in UTC milliseconds."""
    pool = len(audit.pool)
    risk = look_risk(attempt_risk(1 - promise.confidence, promise.attempt), len(promise.sizes))
    places = {task: (1 - score, blind_rank(promise.project, task)) for task, (_, score) in audit.undecided.items()}
    said = {task: labels_of(space, label) for task, (label, _) in audit.undecided.items()}
    seen, kept = look_at(space, promise.about, pool, places, said, audit.lost, risk)
    answered = {task for task in kept if audit.undecided[task][0]}
    rows = [_row(task, audit, answered, bool(promise.parts)) for task in audit.pool]
    certificate = {
        "made_ms": now,
        "method": METHOD if all(part.steps == 1 for part in promise.about) else METHOD_OF_LOSSES,
        "version": version,
        "space_hash": promise.space_hash,
        "target": promise.target,
        "confidence": promise.confidence,
        "pool": pool,
        "undecided": len(audit.undecided),
        "attempt": promise.attempt,
        "look": promise.looks + 1,
        "looks": len(promise.sizes),
        "picks": list(promise.picks),
        "sizes": list(promise.sizes),
        "versions": 1,
        "voices": promise.voices,
        "answers": ONE_PERSON if promise.voices == 1 else CONSENSUS,
        "ranks": f"SHA-256 of blind:{promise.project}:<task>, its first 53 bits as a share",
        "first": promise.first,
        "limit": promise.limit,
        "audited": len(audit.audited),
        "accepted": sum(row.role == "accepted" for row in rows),
        "people": sum(row.role == "people" for row in rows),
        "rows": fingerprint(rows),
    }
    return Found(certificate | figures(seen, risk, parted=bool(promise.parts)), rows)


def figures(seen: Sequence[Seen], risk: float, *, parted: bool) -> dict[str, Any]:
    """What a certificate says of the bound: of a promise about the whole at its top, else of every part in a list."""
    told = [
        {
            "allowed": one.allowed if one.part.steps > 1 else int(one.allowed),
            "risk": one.risk,
            "acceptance": one.look.acceptance,
            "errors": one.look.errors,
            "border": list(one.look.border) if one.look.border is not None else None,
        }
        for one in seen
    ]
    if not parted:
        return told[0] if told else {}
    named = [asdict(one.part) | {"pool": one.pool, "members": one.members, "audited": one.look.audited} for one in seen]
    return {"risk": risk, "parts": [{**name, **found} for name, found in zip(named, told, strict=True)]}


def _row(task: int, audit: Audit, accepted: set[int], parted: bool) -> Row:
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
    lost = dict(audit.lost[task]) if parted and task in audit.lost else None
    return Row(task, role, label, score, task in audit.wrong, votes=votes, lost=lost)


def expected(space: LabelSpace, promise: Promise, audit: Audit, later: int) -> dict[str, Any] | None:
    """About how many decisions the promise takes in all, if it is made at one of the looks from number `later` on (the
    first is 0); None where there is none."""
    chosen = len(audit.pool) - len(audit.undecided)
    picks = promise.picks[later:] or (0,) * len(promise.sizes[later:])
    steps = [Step(max(0, picked - chosen), size) for picked, size in zip(picks, promise.sizes[later:], strict=True)]
    if not steps or not audit.undecided:
        return None
    by_part = members(promise.about, {task: labels_of(space, label) for task, (label, _) in audit.undecided.items()})
    risk = look_risk(attempt_risk(1 - promise.confidence, promise.attempt), len(promise.sizes)) / max(1, len(by_part))
    found: dict[str, list[Forecast]] = {}
    others = dict.fromkeys((part.question for part in by_part), len(audit.undecided))
    for part, mine in by_part.items():
        found.setdefault(part.question, []).append(_of_part(part, mine, audit, steps, risk))
        others[part.question] -= len(mine)
    if not found:
        return None
    told = asdict(together(found, others))
    return told | {name: told[name] + chosen for name in ("decisions", "low", "high", "hoped")}


def _of_part(part: Part, mine: list[int], audit: Audit, steps: Sequence[Step], risk: float) -> Forecast:
    """The forecast of a part, which has its share of what each look chooses and audits."""
    places = np.array([place for place, task in enumerate(mine) if task in audit.lost], np.int64)
    lost = np.array([audit.lost[mine[place]][part.question] / part.steps for place in places.tolist()], np.float64)
    doubts = np.array([1 - max(0.0, audit.undecided[task][1]) for task in mine], np.float64)
    here = len(mine) if part.label else len(audit.pool)
    own = [Step(*(number * len(mine) // len(audit.undecided) for number in step)) for step in steps]
    return forecast(doubts, places, lost, breaking_number(here, part.target, part.steps), own, risk, part.steps)
