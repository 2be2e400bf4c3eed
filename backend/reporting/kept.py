"""Figures that are read from many rows are kept in this process until a row that they come from changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock, Thread, local
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
import structlog

from backend.pool import tallies
from backend.pool.tallies import CHANGED, Tallies
from backend.projects.current import Current

log = structlog.get_logger(__name__)

T = TypeVar("T")
MOST = 1_000  # figures that are kept at once: those of the projects that are looked at
DEAR_SECONDS = 0.2  # of processor time: figures that cost more may be late
LATE_SECONDS = 60  # by so much at most
REST = 10  # so many times their cost passes before dear figures are made again, in the background


@dataclass
class Kept:
    """A value, the stamp of its rows, what its meaning depends on, and when it was made (monotonic seconds).

    `spent` is the processor time of its making in seconds; `cost` the smaller one of the last two, 0 after the first,
    which may have loaded what makes it.
    """

    stamp: object
    basis: object
    value: Any
    made: float
    spent: float
    cost: float = 0.0
    being_made: bool = False


_kept: WeakKeyDictionary[sa.Engine, OrderedDict[Hashable, Kept]] = WeakKeyDictionary()
_lock = Lock()
_here = local()  # of this thread: how often it was given a late value


def kept(
    current: Current,
    what: Hashable,
    make: Callable[[], T],
    now: Tallies | None = None,
    kinds: tuple[str, ...] = CHANGED,
) -> T:
    """What `make` gives for a project, made anew only when its rows, its label config, its options or `what` changed.

    `now` are the project's tallies, read before (what changes while `make` reads is then seen by the next call); None
    reads them. `kinds` are the tables that count. The value is shared between calls: nobody changes it. Figures whose
    making costs much are made anew in the background, and are late by a minute at most.
    """
    before = now or tallies.of_project(current.engine, current.number)
    key, stamp = (current.number, what), (current.facts, current.project, before.stamp(kinds))
    basis = current.facts, current.project.served
    with _lock:
        mine = _kept.setdefault(current.engine, OrderedDict())
        found = mine.get(key)
        if found is not None and found.stamp == stamp:
            mine.move_to_end(key)
            return found.value  # type: ignore[no-any-return]  # the same `what` always has the same maker
        if found is not None and _may_be_late(found, basis):
            _here.late = _late() + 1
            if not found.being_made and time.monotonic() - found.made > REST * found.cost:
                found.being_made = True
                Thread(target=_again, args=(mine, key, stamp, basis, make), name="figures", daemon=True).start()
            return found.value  # type: ignore[no-any-return]
    return _make(mine, key, stamp, basis, make)


def _may_be_late(found: Kept, basis: object) -> bool:
    return found.cost > DEAR_SECONDS and found.basis == basis and time.monotonic() - found.made < LATE_SECONDS


def _make(mine: OrderedDict[Hashable, Kept], key: Hashable, stamp: object, basis: object, make: Callable[[], T]) -> T:
    """Make a value and keep it, unless it was itself made from something late."""
    began, late = time.thread_time(), _late()
    value = make()
    if _late() == late:
        with _lock:
            last, spent = mine.get(key), time.thread_time() - began
            cost = min(last.spent, spent) if last is not None else 0.0
            mine[key] = Kept(stamp, basis, value, time.monotonic(), spent, cost)
            mine.move_to_end(key)
            while len(mine) > MOST:
                mine.popitem(last=False)
    return value


def _again(
    mine: OrderedDict[Hashable, Kept], key: Hashable, stamp: object, basis: object, make: Callable[[], object]
) -> None:
    try:
        _make(mine, key, stamp, basis, make)
    except Exception:  # the next look that finds the figures too late makes them itself, and says what is wrong
        log.exception("figures not made", what=str(key))
    finally:
        with _lock:
            if key in mine:
                mine[key].being_made = False


def _late() -> int:
    return int(getattr(_here, "late", 0))
