"""The promise about a finished pool, step by step: the audit begins, grows at looks that are fixed, and ends in a
certificate, a list of tasks that people must still see, or nothing.

Whatever chooses tasks never looks at their ranks, and nothing learns from the audit's labels (`pool/promises.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from backend.label_studio.client import LabelStudio
from backend.pool import acquisition, certified, promises, tasks
from backend.pool.annotations import human_labels
from backend.pool.promises import Promise
from backend.pool.set_aside import blind_rank
from backend.pool.version_names import is_trained
from backend.projects import promised_parts as about
from backend.projects.current import Current
from backend.projects.job import Job
from backend.projects.stream import by_score, voices
from backend.serving.publishing.looking import ENDED, Audit, Found, expected, left_over, read_audit, take_look
from model.promise.forecast import worth_going_on
from model.promise.looks import attempt_risk, plan

log = structlog.get_logger(__name__)


def wanted(current: Current) -> bool:
    """Whether a promise is asked for that can be made: once a student is served."""
    asked = current.options.TARGET_ERROR > 0 and is_trained(current.served_version)
    return asked and not about.misnamed(current)


def proceed(job: Job, label_studio: LabelStudio, version: str) -> None:
    """Begin an audit, look at it once all of it is decided, or change nothing; `version` has answered every task."""
    engine = job.services.engine
    promise = promises.get(engine, job.number)
    if not wanted(job.current):
        _let_go(job, promise)
        return
    if promise is None or _begins_anew(job, promise):
        promise = _begin(job, promise, label_studio)
    elif promise.state == "auditing" and promise.voices > 1:
        asked = voices(label_studio.project(job.label_studio_id))
        if asked < promise.voices:  # nobody is asked any more for what the audit waits for
            promise = promises.change(engine, promise, voices=asked)
    promise = _end(job, promise, version)
    if promise.state != "auditing":
        return
    promise = _ask(job, label_studio, promise)
    audit = read_audit(job, promise, version)
    while promise.state == "auditing" and audit.complete and promises.is_due(engine, job.number):
        promise = _ask(job, label_studio, _look(job, promise, audit, version))
        audit = read_audit(job, promise, version)
    promises.change(engine, promise, forecast=expected(job.current.space, promise, audit, later=promise.looks))


def begin_anew(job: Job, label_studio: LabelStudio) -> Promise:
    """Another attempt, about all tasks that are there now: its audit are other tasks, and what it may risk is its share
    of what the first one left."""
    former = promises.get(job.services.engine, job.number)
    return _ask(job, label_studio, _begin(job, former, label_studio))


def _let_go(job: Job, promise: Promise | None) -> None:
    """Nobody asks for a promise any more: the audit's labels teach again, and its tasks show answers."""
    if promise is None or promise.state not in promises.OPEN or job.current.options.TARGET_ERROR > 0:
        return
    made = promise.certificate is not None
    promises.change(job.services.engine, promise, state="kept" if made else "given up", target=0.0)
    promises.show_blind(job.services.engine, job.number, 0.0)


def _begins_anew(job: Job, promise: Promise) -> bool:
    """Other labels (not only other words about them) or another target are another promise. What was finished stands
    until somebody undoes it."""
    target, parts = about.targeted(job.current)
    same = (promise.target, promise.confidence, promise.parts) == (target, job.current.options.CONFIDENCE, parts)
    return promise.state != "finished" and not (same and about.same_labels(job.current, promise))


def _begin(job: Job, former: Promise | None, label_studio: LabelStudio) -> Promise:
    """Fix the looks. All that people decided until now they decided for other reasons than its rank. From now on people
    are asked in the order of clusters and scores, or the audit comes last."""
    engine, options = job.services.engine, job.current.options
    ids = tasks.all_ids(engine, job.number)
    decided = human_labels(engine, job.number).keys() & set(ids)
    attempt, first = (former.attempt + 1, former.limit) if former else (1, 0.0)
    risk = attempt_risk(1 - options.CONFIDENCE, attempt)
    left = len(ids) - len(decided)
    target, parts = about.targeted(job.current)
    steps = plan(left, len(ids), target, risk / about.questions(parts), about.strata(parts))
    state: promises.State = "auditing" if steps else "given up"
    sizes, picks = tuple(step.audited for step in steps), tuple(len(decided) + step.chosen for step in steps)
    space = job.current.space.hash
    stated = label_studio.project(job.label_studio_id)
    asked = (target, options.CONFIDENCE)
    fresh = Promise(
        job.number, attempt, space, *asked, state, first, first, sizes, voices=voices(stated), picks=picks, parts=parts
    )
    promises.begin(engine, fresh, decided)
    if steps:
        by_score(label_studio, job.label_studio_id, stated)
    log.info("audit begins", attempt=attempt, looks=len(steps), state=state)
    return fresh


def _end(job: Job, promise: Promise, version: str) -> Promise:
    """However small a pool is and whatever became of its audit: the last few tasks, no more than may be wrong, can keep
    the student's label. At worst people have decided all."""
    engine = job.services.engine
    if promise.certificate is not None or promise.state not in promises.OPEN_END:
        return promise
    left = left_over(job, promise, version)
    if left is None:
        return promise
    found = take_look(job.current.space, replace(promise, first=promise.limit), left, version, job.services.clock())
    certified.replace_all(engine, job.number, found.rows)
    promises.show_blind(engine, job.number, 0.0)
    acquisition.line_up(engine, job.number, "people", "", [])
    log.info("the rest needs no audit", tasks=len(left.undecided))
    return promises.change(engine, promise, certificate=found.certificate | {"method": ENDED}, state="promised")


def _look(job: Job, promise: Promise, audit: Audit, version: str) -> Promise:
    """One look, which is paid for whatever it finds; the better of its certificate and a former one is kept."""
    engine = job.services.engine
    found = take_look(job.current.space, promise, audit, version, job.services.clock())
    best = promise.certificate
    if found.certificate["accepted"] and (best is None or found.certificate["accepted"] > best["accepted"]):
        certified.replace_all(engine, job.number, found.rows)
        best = found.certificate
    looks = promise.looks + 1
    state = _after(job, promise, audit, looks, best)
    if state != "auditing":
        promises.show_blind(engine, job.number, 0.0)
        acquisition.line_up(engine, job.number, "people", "", [])  # the head of the queue is made anew
    log.info("audit looked at", look=looks, **_told(found), state=state)
    return promises.change(engine, promise, looks=looks, certificate=best, state=state)


def _told(found: Found) -> dict[str, int]:
    return {name: found.certificate[name] for name in ("audited", "accepted", "people")}


def _after(job: Job, promise: Promise, audit: Audit, looks: int, best: Mapping[str, Any] | None) -> promises.State:
    """Whether to go on: not once none of the next looks can be hoped to spare people much, and not after the last."""
    later = expected(job.current.space, promise, audit, later=looks)
    if best is None:
        return "auditing" if later is not None else "given up"
    people = int(best["pool"]) - int(best["accepted"])
    return "auditing" if later is not None and worth_going_on(later["hoped"], people) else "promised"


def _queue(job: Job, more: list[int]) -> None:
    """Have people asked for these, too, before the next student makes another head of the queue."""
    known = acquisition.line(job.services.engine, job.number, "people")
    if known is not None and known.version:
        line = [*known.tasks[known.done :], *(task for task in more if task not in known.tasks)]
        acquisition.line_up(job.services.engine, job.number, "people", known.version, line)


def _ask(job: Job, label_studio: LabelStudio, promise: Promise) -> Promise:
    """Audit as many tasks as the next look needs, the lowest ranks of those that are in no way chosen: they are shown
    without an answer from now on. What people decided before it was asked for counts as wrong."""
    engine, earlier = job.services.engine, promise.limit
    visible_from = max(earlier, job.current.options.BLIND_SHARE)
    if promise.state != "auditing":
        return promise
    outside, _ = promises.chosen_tasks(engine, job.number)
    ranks = {task: blind_rank(job.number, task) for task in tasks.all_ids(engine, job.number) if task not in outside}
    order = sorted(rank for rank in ranks.values() if rank >= promise.first)
    size = promise.sizes[promise.looks]
    limit = order[size] if size < len(order) else 1.0
    if limit <= earlier:
        return promise
    new = [task for task, rank in ranks.items() if earlier <= rank < limit]
    decided = human_labels(engine, job.number)
    promises.count_as_wrong(engine, job.number, [task for task in new if task in decided])
    promises.show_blind(engine, job.number, limit)
    _blank(job, label_studio, [task for task in new if ranks[task] >= visible_from and task not in decided])
    _queue(job, [task for task in sorted(new, key=lambda task: ranks[task]) if task not in decided])
    return promises.change(engine, promise, limit=limit)


def _blank(job: Job, label_studio: LabelStudio, shown: list[int]) -> None:
    """Untick what Label Studio shows for these tasks. The rows stay: who has one of the tasks open can submit it."""
    for done, task in enumerate(shown):
        for row in label_studio.predictions(task):
            if row.get("result"):
                label_studio.blank_prediction(int(row["id"]), task, job.label_studio_id)
        job.step(f"hiding answers to the audit's tasks: {done + 1} of {len(shown)}")
