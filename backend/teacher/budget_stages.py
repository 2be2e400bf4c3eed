"""A paid teacher's budget in stages: the most useful tasks first, and a student learns before the next are chosen.

Where there is money for all tasks, their order does not matter and nothing waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.pool import candidates, jobs, ledger, tasks
from backend.pool.version_names import is_committee
from backend.projects.current import Current
from backend.teacher.acquisition import for_teacher

if TYPE_CHECKING:
    from model.arrays import Embed
    from model.teacher.base import Teacher

FIRST = 200  # tasks of the first stage: they also tell what a task costs
ALL = 2**62  # more tasks than there are
LONGER = 2.0  # times what the next tasks can cost at most, later ones may
GROWTH = 2.0  # each stage ends when so many times the tasks of the last training were asked


@dataclass(frozen=True)
class Stage:
    """The tasks that come first, and how many may have been asked in all before a training comes; None: no limit.
    `only`: no others are asked, because a committee decides them."""

    first: tuple[int, ...] = ()
    end: int | None = None
    only: bool = False

    def room(self, asked: int, limit: int) -> int:
        """How many of `limit` tasks may be asked now, after `asked`."""
        return limit if self.end is None else max(0, min(limit, self.end - asked))


def stage(current: Current, teacher: Teacher, version: str, embed: Embed) -> Stage:
    """What the teacher version may be asked now, and in which order."""
    end = next_end(current, teacher, version)
    if end is None:
        return Stage()
    asked = candidates.figures(current.engine, current.number, version).count
    first = for_teacher(current, version, embed) if asked < end else ()
    return Stage(first, end if end < ALL else None, reviewing(current))


def next_end(current: Current, teacher: Teacher, version: str) -> int | None:
    """The number of asked tasks at which the stage ends; None where there is money for all, ALL where nothing waits."""
    if not teacher.paid:
        return None
    committee = current.options.MODE == "committee"
    if candidates.figures(current.engine, current.number, version).count < FIRST:
        return None if not committee and affordable(current, teacher, version) else FIRST
    if committee:  # without a served one the first is still to be trained
        return stage_end(current) if reviewing(current) else FIRST
    return stage_end(current) if scarce(current, version) else None


def reviewing(current: Current) -> bool:
    """Whether the teacher only reviews what a served committee does not decide."""
    return current.options.MODE == "committee" and is_committee(current.chooser)


def stage_end(current: Current) -> int:
    """The number of asked tasks at which a training comes; ALL where people train by hand, or the last one failed.

    A committee learns after every STAGE_AFTER reviewed tasks, a student whenever there are twice as many.
    """
    train = jobs.get(current.engine, current.number).get("train")
    options = current.options
    if options.RETRAIN_AFTER == 0 or (train is not None and train.state == "failed"):
        return ALL
    if options.MODE == "committee":
        return max(FIRST, current.project.trained_sets + options.STAGE_AFTER)
    return max(FIRST, round(GROWTH * current.project.trained_sets))


def scarce(current: Current, version: str) -> bool:
    """Whether the rest of the budget does not pay for the rest of the tasks, by what tasks have cost so far."""
    engine, number = current.engine, current.number
    left = tasks.count(engine, number) - candidates.figures(engine, number, version).count
    return candidates.mean_microusd(engine, number, version) * left > _budget_left(current)


def affordable(current: Current, teacher: Teacher, version: str) -> bool:
    """Whether the budget surely pays for all tasks that are left, by what the next ones can cost at most."""
    rows = tasks.without_candidates(current.engine, current.number, version, FIRST)
    bound = float(teacher.upper_bound_microusd([text for _, text in rows]))
    left = (
        tasks.count(current.engine, current.number) - candidates.figures(current.engine, current.number, version).count
    )
    if left > len(rows) > 0:
        bound *= LONGER * left / len(rows)
    return bound <= _budget_left(current)


def _budget_left(current: Current) -> int:
    total = ledger.totals(current.engine, current.number)
    return total.cap_microusd - total.counted_microusd
