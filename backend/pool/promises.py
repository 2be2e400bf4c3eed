"""The promise about each project's finished pool: what was fixed before the first look, and what came of the looks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from backend.pool.database.bulk import delete, together, upsert
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.promise_tables import certified, chosen
from backend.pool.database.promise_tables import promises as table
from backend.pool.database.tables import annotations as people
from backend.pool.database.tables import projects, tasks
from backend.pool.set_aside import blind_rank
from model.promise.parts import Part

State: TypeAlias = Literal["auditing", "promised", "finished", "kept", "given up"]
OPEN: tuple[State, ...] = ("auditing", "promised")  # while the audit's labels are kept from whatever learns or chooses
OPEN_END: tuple[State, ...] = ("auditing", "given up")  # a promise may come once few enough tasks are left


@dataclass(frozen=True)
class Promise:
    """One attempt at a promise. Ranks from `first` to `limit` are audited; `sizes` is how many tasks each look audits,
    `picks` how many are chosen by then, both fixed in advance, and `looks` how many are over. A task is decided once
    so many `voices` have answered it."""

    project: int
    attempt: int
    space_hash: str
    target: float
    confidence: float
    state: State
    first: float
    limit: float
    sizes: tuple[int, ...]
    looks: int = 0
    certificate: dict[str, Any] | None = None
    forecast: dict[str, Any] | None = None
    wish: str = ""
    voices: int = 1
    picks: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()  # what it is about, where that is not one question, in errors of the whole pool

    @property
    def about(self) -> tuple[Part, ...]:
        """The parts, always."""
        return self.parts or (Part(target=self.target),)

    def spared(self, pool: int) -> int:
        """How many of the tasks may be left to the student without an audit."""
        return min(part.spared(pool) for part in self.about)

    def audits(self, task: int) -> bool:
        """Whether the task's rank is in the audit."""
        return self.first <= blind_rank(self.project, task) < self.limit


def get(engine: sa.Engine, project: int) -> Promise | None:
    """The present attempt; None before the first."""
    with read(engine) as connection:
        return _get(connection, project)


def _get(connection: sa.Connection, project: int) -> Promise | None:
    fields = [table.c[name] for name in Promise.__dataclass_fields__]
    row = connection.execute(sa.select(*fields).where(table.c.project == project)).one_or_none()
    if row is None:
        return None
    parts = tuple(Part(**part) for part in row.parts)
    return Promise(**{**row._mapping, "sizes": tuple(row.sizes), "picks": tuple(row.picks), "parts": parts})


def begin(engine: sa.Engine, promise: Promise, decided: Collection[int]) -> None:
    """A new attempt, in place of a former one: the `decided` tasks were so for other reasons than their rank."""
    row = {name: getattr(promise, name) for name in Promise.__dataclass_fields__}
    row |= {"sizes": list(promise.sizes), "picks": list(promise.picks), "created_ms": now_ms()}
    row["parts"] = list(map(asdict, promise.parts))
    with write(engine) as connection:
        together(connection, promise.project)
        delete(connection, chosen, chosen.c.project == promise.project)
        delete(connection, certified, certified.c.project == promise.project)
        upsert(connection, table, [row])
        _choose(connection, promise.project, decided)


def change(engine: sa.Engine, promise: Promise, **values: Any) -> Promise:
    """Store what came of an attempt; the attempt as it is now."""
    with write(engine) as connection:
        connection.execute(sa.update(table).where(table.c.project == promise.project).values(**values))
    return replace(promise, **values)


def wish(engine: sa.Engine, project: int, what: str) -> None:
    """Note what somebody wants of the finishing job: annotations, predictions, undo."""
    with write(engine) as connection:
        connection.execute(sa.update(table).where(table.c.project == project).values(wish=what))


def fulfilled(engine: sa.Engine, project: int, what: str) -> None:
    """The wish is done with; another one that came meanwhile stays."""
    with write(engine) as connection:
        mine = (table.c.project == project, table.c.wish == what)
        connection.execute(sa.update(table).where(*mine).values(wish=""))


def choose(engine: sa.Engine, project: int, asked: Collection[int]) -> None:
    """These tasks are asked for because of scores: they leave the audit, decided or not."""
    with write(engine) as connection:
        _choose(connection, project, asked)


def count_as_wrong(engine: sa.Engine, project: int, decided: Collection[int]) -> None:
    """These tasks were decided before their rank was asked for: an answer was shown, or a student has learned them."""
    rows = [{"project": project, "task": task, "seen": True} for task in sorted(set(decided))]
    with write(engine) as connection:
        upsert(connection, chosen, rows, keep=["seen"])


def _choose(connection: sa.Connection, project: int, asked: Collection[int]) -> None:
    upsert(connection, chosen, [{"project": project, "task": task, "seen": False} for task in sorted(set(asked))])


def chosen_tasks(engine: sa.Engine, project: int) -> tuple[set[int], set[int]]:
    """The tasks that are in no audit of the present attempt; and those that are in it, but count as wrong."""
    with read(engine) as connection:
        rows = list(connection.execute(sa.select(chosen.c.task, chosen.c.seen).where(chosen.c.project == project)))
    return {task for task, seen in rows if not seen}, {task for task, seen in rows if seen}


def withheld(engine: sa.Engine, project: int, of: Collection[int]) -> set[int]:
    """Those of the tasks whose human label is the audit's alone: nothing is learned from it, and nothing is chosen by
    it, until the promise is made or given up. Who must not know an answer treats the task as if nobody had decided it.
    """
    with read(engine) as connection:
        promise = _get(connection, project)
        if promise is None or promise.state not in OPEN:
            return set()
        outside = set(connection.scalars(sa.select(chosen.c.task).where(chosen.c.project == project)))
    return {task for task in of if task not in outside and promise.audits(task)}


def unaudited(engine: sa.Engine, project: int) -> list[int]:
    """The tasks of the audit that too few people have decided or skipped yet, by rank; [] without an audit."""
    promise = get(engine, project)
    if promise is None or promise.state != "auditing":
        return []
    outside, _ = chosen_tasks(engine, project)
    left = [
        task for task in _undecided(engine, project, promise.voices) if task not in outside and promise.audits(task)
    ]
    return sorted(left, key=lambda task: blind_rank(project, task))


def unpicked(engine: sa.Engine, promise: Promise) -> tuple[list[int], int]:
    """The tasks that scores have chosen and nobody has decided yet; and how many more are to be chosen before the next
    look."""
    outside, _ = chosen_tasks(engine, promise.project)
    picked = promise.picks[promise.looks] if promise.looks < len(promise.picks) else 0
    return [task for task in _undecided(engine, promise.project, 1) if task in outside], max(0, picked - len(outside))


def _undecided(engine: sa.Engine, project: int, voices: int) -> list[int]:
    """The tasks that fewer people than that have decided or skipped."""
    done = sa.select(people.c.task).where(people.c.project == project, people.c.state.in_(("labelled", "skipped")))
    who = sa.func.coalesce(people.c.annotator, -people.c.annotation)
    done = done.group_by(people.c.task).having(sa.func.count(sa.distinct(who)) >= voices)
    query = sa.select(tasks.c.task).where(tasks.c.project == project, tasks.c.task.not_in(done))
    with read(engine) as connection:
        return list(connection.scalars(query.order_by(tasks.c.task)))


def asked_for(engine: sa.Engine, project: int) -> list[int]:
    """What people should decide before the next look: what scores have chosen, then the audit by rank."""
    promise = get(engine, project)
    if promise is None or promise.state != "auditing":
        return []
    return [*unpicked(engine, promise)[0], *unaudited(engine, project)]


def nothing_is_asked(engine: sa.Engine, project: int) -> bool:
    """Whether people have decided all that an audit asks for: then it is looked at, or more is chosen."""
    promise = get(engine, project)
    return promise is not None and promise.state == "auditing" and not asked_for(engine, project)


def is_due(engine: sa.Engine, project: int) -> bool:
    """Whether a look is: all that it needs was asked for and decided."""
    promise = get(engine, project)
    return promise is not None and nothing_is_asked(engine, project) and not unpicked(engine, promise)[1]


def nearly_decided(engine: sa.Engine, project: int) -> bool:
    """Whether people may have left so few tasks without a certificate that no audit is needed for them."""
    promise = get(engine, project)
    if promise is None or promise.certificate is not None or promise.state not in OPEN_END:
        return False
    labelled, total = _labelled(engine, project)
    return total - labelled <= promise.spared(total)


def all_decided(engine: sa.Engine, project: int) -> bool:
    """Whether people have labelled every task, of which there are some."""
    labelled, total = _labelled(engine, project)
    return 0 < total <= labelled


def _labelled(engine: sa.Engine, project: int) -> tuple[int, int]:
    """How many tasks somebody has labelled, and how many there are."""
    done = sa.select(sa.func.count(sa.distinct(people.c.task)))
    with read(engine) as connection:
        number = connection.execute(done.where(people.c.project == project, people.c.state == "labelled")).scalar_one()
        total = connection.execute(sa.select(sa.func.count()).where(tasks.c.project == project)).scalar_one()
    return int(number), int(total)


def show_blind(engine: sa.Engine, project: int, limit: float) -> None:
    """From now on, tasks with a rank below `limit` are shown without an answer."""
    with write(engine) as connection:
        connection.execute(sa.update(projects).where(projects.c.project == project).values(blind_to=limit))
