"""What the teacher cost and may cost. Money is in micro-dollars: 1 USD = 1,000,000.

Before a paid call its upper bound is reserved in one conditional UPDATE, so that no number of processes together can
promise more than the cap; after the call the reservation is replaced by what it did cost. A reservation that a killed
process left behind counts as spent, for the provider may have been paid: BUDGET_USD is a hard stop. After
PATIENCE_SECONDS, longer than any call with all its retries takes, it becomes an entry of its upper bound without calls.
Should its process live after all (it was suspended), what the call did cost takes the place of that entry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from backend.pool.database.bulk import together
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.tables import projects
from backend.pool.database.work_tables import ledger
from backend.pool.database.work_tables import reservations as table

if TYPE_CHECKING:
    from model.teacher.base import Usage


PATIENCE_SECONDS = 1800.0
FIGURES = ("calls", "input_tokens", "cached_tokens", "output_tokens", "microusd")


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything booked for a project. `unsettled_microusd` is reserved by calls and batches under way.

    `carried_microusd` was spent by former projects with the same number at Label Studio, and counts against the cap.
    `lost_microusd` is the part of `microusd` that was booked for calls whose process died before they ended,
    `batch_calls` and `batch_microusd` are the parts that went through a batch API, at its price.
    """

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    microusd: int = 0
    unsettled_microusd: int = 0
    cap_microusd: int = 0
    lost_microusd: int = 0
    batch_calls: int = 0
    batch_microusd: int = 0
    carried_microusd: int = 0

    @property
    def counted_microusd(self) -> int:
        """All that counts against the cap."""
        return self.microusd + self.unsettled_microusd + self.carried_microusd


def set_cap(engine: sa.Engine, project: int, microusd: int) -> None:
    """Set what the project may spend in all; writes only if it is new."""
    here = projects.c.project == project
    with read(engine) as connection:
        known = connection.execute(sa.select(projects.c.cap_microusd).where(here)).scalar_one_or_none()
    if known is not None and known != microusd:
        with write(engine) as connection:
            connection.execute(sa.update(projects).where(here).values(cap_microusd=microusd))


def reserve(
    engine: sa.Engine, project: int, version: str, microusd: int, patience: float | None = PATIENCE_SECONDS
) -> int | None:
    """Set aside what calls can cost at most; the reservation's number, None if it would pass the cap.

    None, too, for an unknown project. After `patience` (seconds) it counts as lost; never with None.
    """
    if microusd < 0:
        raise ValueError(f"a call cannot cost {microusd} micro-dollars")
    spent = projects.c.spent_microusd + microusd
    may = (projects.c.project == project, ~projects.c.forgotten, spent <= projects.c.cap_microusd)
    claim = sa.update(projects).where(*may)
    until = None if patience is None else now_ms() + round(patience * 1000)
    row = {"project": project, "version": version, "microusd": microusd, "until_ms": until}
    with write(engine) as connection:
        if connection.execute(claim.values(spent_microusd=spent)).rowcount != 1:
            return None
        return int(connection.execute(sa.insert(table).returning(table.c.reservation), row).scalar_one())


def settle(
    engine: sa.Engine, project: int, version: str, reservation: int | None, usage: Usage, part: int | None = None
) -> None:
    """Book what calls did cost in place of what was reserved for them, or of `part` of it (micro-dollars).

    Calls that never happened leave no entry. What was paid is booked by a process that lost its turn, too.
    """
    with write(engine, late=True) as connection:
        together(connection, project)
        book(connection, project, version, reservation, usage, part)


def book(
    connection: sa.Connection,
    project: int,
    version: str,
    reservation: int | None,
    usage: Usage,
    part: int | None = None,
    batch: bool = False,
) -> None:
    """As `settle`, inside a transaction of the caller's. `batch`: the calls went through a batch API."""
    given = _give_back(connection, reservation, part)
    spent = {"spent_microusd": projects.c.spent_microusd + usage.microusd - given}
    connection.execute(sa.update(projects).where(projects.c.project == project).values(spent))
    if any((usage.calls, usage.input_tokens, usage.output_tokens, usage.microusd)):
        figures = {name: getattr(usage, name) for name in FIGURES}
        connection.execute(sa.insert(ledger), {**_entry(project, version, **figures), "batch": batch})


def expire(connection: sa.Connection, reservation: int | None) -> None:
    """Nobody will settle it any more: from now on it counts as lost."""
    connection.execute(sa.update(table).where(table.c.reservation == reservation).values(until_ms=0))


def keep_aside(connection: sa.Connection, reservation: int) -> None:
    """It is a batch's, which may take days: it is not lost before the batch is."""
    connection.execute(sa.update(table).where(table.c.reservation == reservation).values(until_ms=None))


def book_lost(engine: sa.Engine, project: int) -> int:
    """Book reservations of processes that are dead at their upper bound: the provider may have been paid; their sum."""
    now = now_ms()
    ahead = table.c.until_ms > now + 2 * PATIENCE_SECONDS * 1000  # by a clock that was set back since
    over = (table.c.project == project, (table.c.until_ms < now) | ahead)
    with read(engine) as connection:
        if connection.execute(sa.select(table.c.reservation).where(*over).limit(1)).first() is None:
            return 0
    with write(engine) as connection:
        together(connection, project)
        rows = connection.execute(sa.delete(table).where(*over).returning(table)).all()
        for row in rows:
            if row.microusd:
                entry = _entry(project, row.version, microusd=row.microusd)
                connection.execute(sa.insert(ledger), {**entry, "reservation": row.reservation})
    return sum(row.microusd for row in rows)


def booked(engine: sa.Engine, project: int) -> Totals:
    """Sums over all entries: read from every one of them."""
    with read(engine) as connection:
        return _booked(connection, project)


def totals(engine: sa.Engine, project: int, known: Totals | None = None) -> Totals:
    """Sums over all entries, perhaps `known` already, and what is reserved."""
    fields = (projects.c.spent_microusd, projects.c.cap_microusd, projects.c.carried_microusd)
    query = sa.select(*fields).where(projects.c.project == project)
    with read(engine) as connection:
        sums = known or _booked(connection, project)
        spent, cap, carried = connection.execute(query).one_or_none() or (sums.microusd, 0, 0)
    under_way = spent - carried - sums.microusd
    return replace(sums, unsettled_microusd=under_way, cap_microusd=cap, carried_microusd=carried)


def _entry(project: int, version: str, **figures: int) -> dict[str, Any]:
    return {**dict.fromkeys(FIGURES, 0), **figures, "project": project, "version": version, "created_ms": now_ms()}


def _give_back(connection: sa.Connection, reservation: int | None, part: int | None) -> int:
    """Take `part` off a reservation, or all of it, or off the entry that it became when it was lost; micro-dollars."""
    for holding in (table, ledger) if reservation is not None else ():
        here = holding.c.reservation == reservation
        held = connection.execute(sa.select(holding.c.microusd).where(here).with_for_update()).scalar_one_or_none()
        if held is None:
            continue
        given = int(held) if part is None else min(part, int(held))
        if given == held:
            connection.execute(sa.delete(holding).where(here))
        else:
            connection.execute(sa.update(holding).where(here).values(microusd=held - given))
        return given
    return 0


def _booked(connection: sa.Connection, project: int) -> Totals:
    sums = [sa.func.coalesce(sa.func.sum(ledger.c[name]), 0).label(name) for name in FIGURES]
    parts = [
        sa.func.coalesce(sa.func.sum(ledger.c[column]).filter(where), 0).label(name)
        for name, column, where in (
            ("lost_microusd", "microusd", ledger.c.calls == 0),
            ("batch_calls", "calls", ledger.c.batch),
            ("batch_microusd", "microusd", ledger.c.batch),
        )
    ]
    row = connection.execute(sa.select(*sums, *parts).where(ledger.c.project == project)).one()
    return Totals(**{name: int(value) for name, value in row._mapping.items()})
