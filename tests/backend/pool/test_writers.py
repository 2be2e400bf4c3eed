"""Everybody writes the same rows at the same moment: no writer of the pool fails, none waits for another for ever."""

from __future__ import annotations

import ast
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool import (
    acquisition,
    annotations,
    answers,
    batches,
    candidates,
    certified,
    claims,
    classifiers,
    comparisons,
    doubts,
    held,
    incidents,
    jobs,
    label_spaces,
    ledger,
    out_of_sight,
    predictions,
    projects,
    promises,
    publishing,
    queries,
    relevances,
    rest,
    rulings,
    shortlists,
    tallies,
    tasks,
    teachers,
    versions,
)
from backend.pool.classifiers import ClassifierRow
from backend.pool.completions import lacks_nothing
from backend.pool.database import tallies as counting
from backend.pool.database.engine import open_engine
from model.labels import CandidateSet, LabelSpace
from model.teacher.base import Usage
from tests.support.counted import expect_right
from tests.support.samples import PROJECT, STUDENT, TEACHER, add_project, answered, doubted, labelled
from tests.support.servers import PostgresServer

POOL = Path(projects.__file__).parent
THREADS, ROUNDS, TASKS = 8, 6, 60
Write = Callable[[sa.Engine, random.Random], object]
SET = CandidateSet(("billing", "refund"), (0.6, 0.3))


def some(rng: random.Random) -> list[int]:
    """Tasks, in an order of one's own."""
    return rng.sample(range(1, TASKS + 1), 40)


def space(rng: random.Random) -> LabelSpace:
    return LabelSpace.of(["billing", rng.choice(["refund", "shipping"])], scope="label/Choices/text")


def spend(engine: sa.Engine, rng: random.Random) -> None:
    held = ledger.reserve(engine, PROJECT, TEACHER, 10)
    ledger.settle(engine, PROJECT, TEACHER, held, Usage(calls=1, microusd=rng.randrange(10)))


def lose(engine: sa.Engine, _: random.Random) -> None:
    ledger.reserve(engine, PROJECT, TEACHER, 10, patience=-1)
    ledger.book_lost(engine, PROJECT)


def begin_batch(engine: sa.Engine, rng: random.Random) -> int:
    held = ledger.reserve(engine, PROJECT, TEACHER, 10) or 0
    return batches.begin(engine, PROJECT, TEACHER, {"t1": (1, "h")}, 10, held, f"mark-{rng.random()}"[:30], "openai")


def a_batch(engine: sa.Engine, rng: random.Random) -> int:
    """One that others end, too."""
    found = batches.unfinished(engine, PROJECT)
    return rng.choice(found).batch if found else begin_batch(engine, rng)


def ask(engine: sa.Engine, rng: random.Random) -> None:
    with claims.asking(engine) as mine:
        mine.release(PROJECT, TEACHER, mine.take(PROJECT, TEACHER, [f"hash-{task}" for task in some(rng)]))


def promote(engine: sa.Engine, rng: random.Random) -> None:
    with suppress(PoolError):  # nobody has added it yet
        projects.promote(engine, PROJECT, f"student-{rng.randrange(3)}-3d4e5f")


def add_version(engine: sa.Engine, rng: random.Random) -> None:
    number = rng.randrange(3)
    with suppress(PoolError):  # there is one already
        versions.add(engine, PROJECT, f"student-{number}-3d4e5f", number, "3d4e5f", {}, 1)


def reading(rng: random.Random) -> ClassifierRow:
    return ClassifierRow(f"place-{rng.randrange(3)}", "3d4e5f", {"a": "billing"}, rng.random() < 0.5, "names", "")


def give(engine: sa.Engine, rng: random.Random) -> None:
    publishing.give(engine, PROJECT, STUDENT, some(rng), rng.choice([0, 9]))


def settle(engine: sa.Engine, rng: random.Random) -> None:
    found = some(rng)
    publishing.settle(engine, PROJECT, STUDENT, found[:20], found[20:], 10)


def label(engine: sa.Engine, rng: random.Random) -> None:
    rows = [labelled(task, task, rng.choice(["billing", "refund"]), at=rng.randrange(50)) for task in some(rng)]
    annotations.save(engine, PROJECT, rows, listed_ms=None)


def complete(engine: sa.Engine, rng: random.Random) -> None:
    now = tallies.of_project(engine, PROJECT)
    lacks_nothing(engine, PROJECT, f"candidates/teacher-{rng.randrange(3)}", now, ("tasks",), lambda: False)


def promise(rng: random.Random) -> promises.Promise:
    return promises.Promise(PROJECT, rng.randrange(1, 5), "3d4e5f", 0.05, 0.95, "auditing", 0.0, rng.random(), (9,))


def rows(rng: random.Random) -> list[certified.Row]:
    return [certified.Row(task, "accepted", rng.choice(["billing", "refund"]), 0.5) for task in some(rng)]


WRITERS: dict[str, Write] = {
    "acquisition.save": lambda e, r: acquisition.save(e, PROJECT, STUDENT, dict.fromkeys(some(r), 0.5)),
    "acquisition.ask_people": lambda e, r: acquisition.ask_people(e, PROJECT, STUDENT, dict.fromkeys(some(r), 0.5)),
    "acquisition.clear": lambda e, r: acquisition.clear(e, PROJECT, STUDENT, some(r)),
    "acquisition.drop": lambda e, r: acquisition.drop(e, PROJECT, STUDENT),
    "acquisition.line_up": lambda e, r: acquisition.line_up(e, PROJECT, "people", STUDENT, some(r)),
    "acquisition.mark_done": lambda e, r: acquisition.mark_done(e, PROJECT, "people", STUDENT, 3),
    "annotations.save": label,
    "annotations.delete": lambda e, r: annotations.delete(e, PROJECT, some(r)[:10], "2026-11-21T06:00:00.000000Z"),
    "answers.save": lambda e, r: answers.save(e, "m", "p", {f"hash-{task}": ("{}", Usage()) for task in some(r)}),
    "answers.forget_empty": lambda e, r: answers.forget_empty(e),
    "batches.begin": begin_batch,
    "candidates.forget_failed": lambda e, r: candidates.forget_failed(e, PROJECT, TEACHER),
    "completions.lacks_nothing": complete,
    "rest.remember": lambda e, r: rest.remember(e, {one: (f"{r.random()}", 9) for one in (PROJECT, PROJECT + 1)}, 3),
    "tallies.tidy": lambda e, _: tallies.tidy(e, PROJECT),
    "comparisons.ask": lambda e, r: comparisons.ask(e, PROJECT, r.randrange(100), True),
    "comparisons.done": lambda e, r: comparisons.done(e, PROJECT, r.randrange(100), True),
    "batches.opened": lambda e, r: batches.opened(e, a_batch(e, r), {"batches": ["b"]}),
    "batches.ended": lambda e, r: batches.ended(e, a_batch(e, r), "done", Usage(calls=1, microusd=3)),
    "batches.abandoned": lambda e, r: batches.abandoned(e, a_batch(e, r)),
    "candidates.save": lambda e, r: candidates.save(
        e, PROJECT, TEACHER, [(task, "h", answered("refund")) for task in some(r)]
    ),
    "candidates.carry_over": lambda e, r: candidates.carry_over(
        e, PROJECT, TEACHER, "teacher-ffffff-3d4e5f", lambda _: True
    ),
    "claims.take": ask,
    "classifiers.propose": lambda e, r: classifiers.propose(e, PROJECT, [reading(r)]),
    "classifiers.save": lambda e, r: classifiers.save(e, PROJECT, reading(r)),
    "classifiers.remove": lambda e, r: classifiers.remove(e, PROJECT, f"place-{r.randrange(3)}"),
    "doubts.renew": lambda e, r: doubts.renew(e, PROJECT, [doubted(task, "billing", "refund") for task in some(r)]),
    "doubts.confirm": lambda e, r: doubts.confirm(e, PROJECT, r.randrange(TASKS)),
    "held.doubt": lambda e, r: held.doubt(e, PROJECT, [STUDENT], r.randrange(TASKS)),
    "held.forget": lambda e, r: held.forget(e, PROJECT, [STUDENT], r.randrange(TASKS)),
    "incidents.note": lambda e, r: incidents.note(e, PROJECT, "sync", f"thing {r.randrange(30)}"),
    "jobs.queued": lambda e, r: jobs.queued(e, PROJECT, "train"),
    "jobs.begin": lambda e, r: jobs.begin(e, PROJECT, "train"),
    "jobs.step": lambda e, r: jobs.step(e, PROJECT, "train", "step", 0.5),
    "jobs.finish": lambda e, r: jobs.finish(e, PROJECT, "train"),
    "jobs.fail": lambda e, r: jobs.fail(e, PROJECT, "train", "failed"),
    "jobs.ask_again": lambda e, r: jobs.ask_again(e, PROJECT, "train"),
    "label_spaces.remember": lambda e, r: label_spaces.remember(e, PROJECT, space(r)),
    "ledger.set_cap": lambda e, r: ledger.set_cap(e, PROJECT, r.choice([10**9, 2 * 10**9])),
    "ledger.reserve": spend,
    "ledger.settle": spend,
    "ledger.book_lost": lose,
    "out_of_sight.note": lambda e, r: out_of_sight.note(e, PROJECT, {f"student-{r.randrange(5)}"}, r.randrange(9)),
    "predictions.save": lambda e, r: predictions.save(
        e, PROJECT, STUDENT, [(task, "h", "refund", 0.5) for task in some(r)]
    ),
    "predictions.drop_unseen": lambda e, r: predictions.drop_unseen(e, PROJECT, STUDENT),
    "projects.save_config": lambda e, r: add_project(e, title=f"title {r.randrange(3)}"),
    "projects.promote": promote,
    "projects.set_instructions": lambda e, r: projects.set_instructions(e, PROJECT, "read"),
    "projects.set_paused": lambda e, r: projects.set_paused(e, PROJECT, False),
    "projects.set_published": lambda e, r: projects.set_published(e, PROJECT, STUDENT),
    "projects.set_ticks": lambda e, r: projects.set_ticks(e, PROJECT, r.choice(["", "one", "none"])),
    "projects.set_grouped": lambda e, r: projects.set_grouped(e, PROJECT, "topic"),
    "projects.set_synced": lambda e, r: projects.set_synced(e, PROJECT, "2026-11-21T06:00:00.000000Z"),
    "projects.set_on_screen": lambda e, r: projects.set_on_screen(e, PROJECT, STUDENT),
    "projects.set_elsewhere": lambda e, r: projects.set_elsewhere(e, PROJECT, False),
    "projects.mark_trained": lambda e, r: projects.mark_trained(e, PROJECT, 1),
    "projects.remove": lambda e, r: projects.remove(e, PROJECT),
    "promises.begin": lambda e, r: promises.begin(e, promise(r), some(r)),
    "promises.change": lambda e, r: promises.change(e, promise(r), looks=r.randrange(5)),
    "promises.wish": lambda e, r: promises.wish(e, PROJECT, "undo"),
    "promises.fulfilled": lambda e, r: promises.fulfilled(e, PROJECT, "undo"),
    "promises.choose": lambda e, r: promises.choose(e, PROJECT, some(r)),
    "promises.count_as_wrong": lambda e, r: promises.count_as_wrong(e, PROJECT, some(r)),
    "promises.show_blind": lambda e, r: promises.show_blind(e, PROJECT, r.random()),
    "certified.replace_all": lambda e, r: certified.replace_all(e, PROJECT, rows(r)),
    "certified.note_written": lambda e, r: certified.note_written(e, PROJECT, some(r), "annotation", None),
    "publishing.intend": lambda e, r: publishing.intend(e, PROJECT, STUDENT, some(r)),
    "publishing.give": give,
    "publishing.confirm": lambda e, r: publishing.confirm(e, PROJECT, STUDENT, some(r)),
    "publishing.withdraw": lambda e, r: publishing.withdraw(e, PROJECT, STUDENT, some(r)),
    "publishing.settle": settle,
    "publishing.take_back": lambda e, r: publishing.take_back(e, PROJECT, r.randrange(TASKS), [STUDENT]),
    "queries.save": lambda e, r: queries.save(e, PROJECT, {task: r.choice(["", "17", "18"]) for task in some(r)}),
    "relevances.save": lambda e, r: relevances.save(e, PROJECT, STUDENT, {task: r.random() for task in some(r)}),
    "relevances.drop": lambda e, r: relevances.drop(e, PROJECT, STUDENT),
    "rulings.save": lambda e, r: rulings.save(e, PROJECT, STUDENT, dict.fromkeys(some(r), "llm")),
    "rulings.fill": lambda e, r: rulings.fill(e, PROJECT, STUDENT, "committee"),
    "rulings.drop": lambda e, r: rulings.drop(e, PROJECT, STUDENT),
    "shortlists.save": lambda e, r: shortlists.save(
        e, PROJECT, STUDENT, {task: SET if r.random() < 0.5 else None for task in some(r)}
    ),
    "shortlists.drop": lambda e, r: shortlists.drop(e, PROJECT, STUDENT),
    "tasks.add": lambda e, r: tasks.add(e, PROJECT, {task: f"text {r.random()}" for task in some(r)}),
    "tasks.add_textless": lambda e, r: tasks.add_textless(e, PROJECT, some(r)[:10]),
    "tasks.remove": lambda e, r: tasks.remove(e, PROJECT, some(r)),
    "teachers.remember": lambda e, r: teachers.remember(e, PROJECT, TEACHER, "core", "openai:m", "single"),
    "teachers.ask_anew": lambda e, r: teachers.ask_anew(e, PROJECT, TEACHER),
    "versions.add": add_version,
    "versions.next_number": lambda e, r: versions.next_number(e, PROJECT),
    "versions.skip_numbers": lambda e, r: versions.skip_numbers(e, 1),
    "versions.set_state": lambda e, r: versions.set_state(e, PROJECT, STUDENT, "trained", ""),
    "versions.set_metrics": lambda e, r: versions.set_metrics(e, PROJECT, STUDENT, {}),
}


@pytest.fixture
def pool(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """On PostgreSQL: SQLite has one writer at a time. Whatever they did, it was counted."""
    monkeypatch.setattr(counting, "MANY", 20)
    with postgres_server.database(migrated=True) as url:
        engine = open_engine(url)
        add_project(engine)
        ledger.set_cap(engine, PROJECT, 10**9)
        yield engine
        expect_right(engine)
        engine.dispose()


def crowd(engine: sa.Engine, work: Callable[[random.Random], object]) -> None:
    """What several threads, each with connections of its own, do after one starting shot, again and again."""
    barrier = threading.Barrier(THREADS)

    def run(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(ROUNDS):
            barrier.wait(240)
            work(rng)

    with ThreadPoolExecutor(THREADS) as threads:
        for future in [threads.submit(run, seed) for seed in range(THREADS)]:
            future.result(600)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_writer_stands_a_crowd(pool: sa.Engine, name: str) -> None:
    crowd(pool, lambda rng: WRITERS[name](pool, rng))


@pytest.mark.parametrize("name", [name for name in WRITERS if name.endswith((".drop", ".remove", ".settle", ".save"))])
def test_a_writer_stands_a_crowd_of_all_the_others(pool: sa.Engine, name: str) -> None:
    """The rows that it takes away are the ones that the others are adding."""

    def work(rng: random.Random) -> None:
        WRITERS[name if rng.random() < 0.4 else rng.choice(sorted(WRITERS))](pool, rng)
        if projects.get(pool, PROJECT) is None:
            add_project(pool)

    crowd(pool, work)


def test_every_writer_of_the_pool_is_among_them() -> None:
    """Whoever opens a transaction that writes, directly or by a helper of its file, and can be called from outside."""
    found = set()
    for path in POOL.glob("*.py"):
        functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
        calls = {
            node.name: {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
            for node in functions
        }
        writing = {name for name, called in calls.items() if "write" in called}
        for _ in calls:  # helpers of helpers
            writing |= {
                name for name, called in calls.items() if {one.removeprefix("self.") for one in called} & writing
            }
        found |= {f"{path.stem}.{name}" for name in writing if not name.startswith("_")}
    found -= {"claims.release", "claims.release_all", "claims.asking"}  # in `claims.take`
    assert found == set(WRITERS)
