"""What several real processes do to one pool at the same moment."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any

from backend.pool import annotations, ledger, tasks
from backend.pool.database.engine import open_engine, upgrade
from model.teacher.base import Usage
from tests.support.preloaded import context
from tests.support.samples import PROJECT, TEACHER, labelled

Work = Callable[..., Any]


def at_once(number: int, work: Work, *arguments: Any) -> list[Any]:
    """Run `work(index, *arguments)` in `number` processes that start it together; their results in order.

    An exception in one of them is raised here as RuntimeError with its text.
    """
    fork = context()
    barrier, results = fork.Barrier(number), fork.Queue()
    workers = [fork.Process(target=_run, args=(barrier, results, index, work, arguments)) for index in range(number)]
    for worker in workers:
        worker.start()
    found = dict(results.get(timeout=600) for _ in workers)
    for worker in workers:
        worker.join(240)
    results.close()
    results.join_thread()
    failed = [str(value) for value in found.values() if isinstance(value, Exception)]
    if failed:
        raise RuntimeError("; ".join(failed))
    return [found[index] for index in range(number)]


def _run(barrier: Barrier, results: Any, index: int, work: Work, arguments: tuple[Any, ...]) -> None:
    barrier.wait(240)
    try:
        results.put((index, work(index, *arguments)))
    except Exception as error:
        results.put((index, RuntimeError(f"{type(error).__name__}: {error}")))


def migrate(_index: int, url: str) -> None:
    """Start as every process of the backend does."""
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


def spend(_index: int, url: str, calls: int, bound: int, cost: int) -> int:
    """Try to make paid calls; how many were allowed."""
    engine = open_engine(url)
    allowed = 0
    for _ in range(calls):
        held = ledger.reserve(engine, PROJECT, TEACHER, bound)
        if held is not None:
            allowed += 1
            ledger.settle(engine, PROJECT, TEACHER, held, Usage(calls=1, input_tokens=10, microusd=cost))
    engine.dispose()
    return allowed


def hold(_index: int, url: str, calls: int, bound: int) -> int:
    """Reserve and never settle; how many reservations were granted."""
    engine = open_engine(url)
    granted = sum(ledger.reserve(engine, PROJECT, TEACHER, bound) is not None for _ in range(calls))
    engine.dispose()
    return granted


def reserve_and_die(_index: int, url: str, microusd: int, patience: float) -> None:
    """Reserve, then be killed in the middle of a call."""
    if ledger.reserve(open_engine(url), PROJECT, TEACHER, microusd, patience) is not None:
        os.kill(os.getpid(), signal.SIGKILL)


def label(index: int, url: str, number: int) -> int:
    """Deliver the same annotations as everybody else, in another order; how many changed a human label."""
    engine = open_engine(url)
    order = [(task * 7 + index * 5) % number for task in range(number)]
    changed = 0
    for task in order:
        changed += len(annotations.save(engine, PROJECT, [labelled(task + 1, task + 1, "refund", annotator=1)]))
        changed += len(annotations.save(engine, PROJECT, [labelled(task + 1, task + 1, "billing", annotator=1, at=0)]))
    engine.dispose()
    return changed


def add_tasks(index: int, url: str, number: int) -> None:
    """Add the same tasks as everybody else, in another order."""
    engine = open_engine(url)
    for start in range(0, number, 50):
        block = range(start, start + 50) if index % 2 else range(number - start - 50, number - start)
        tasks.add(engine, PROJECT, {task + 1: f"text {task}" for task in block})
    engine.dispose()


def ask_a_provider(index: int, url: str, bills: str, bound: int, patience: float) -> None:
    """Paid calls until there is no money left. The provider writes what each did cost at the end of `bills`; some calls
    end by a kill, before or after it did."""
    engine, rng = open_engine(url), random.Random(index)
    file = os.open(bills, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    while (held := ledger.reserve(engine, PROJECT, TEACHER, bound, patience)) is not None:
        cost, fate = rng.randrange(bound + 1), rng.random()
        if fate < 0.1:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(file, f"{cost}\n".encode())
        if fate < 0.2:
            os.kill(os.getpid(), signal.SIGKILL)
        ledger.settle(engine, PROJECT, TEACHER, held, Usage(calls=1, microusd=cost))
        if fate > 0.9:
            ledger.book_lost(engine, PROJECT)
