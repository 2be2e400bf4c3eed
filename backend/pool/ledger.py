"""What the teacher cost and may cost. Money is in micro-dollars: 1 USD = 1,000,000.

Before a paid call its upper bound is reserved in one conditional UPDATE, so that no number of processes together can
promise more than the cap; after the call the reservation is replaced by what it did cost. A reservation that a killed
process left behind counts as spent: the call may have been paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from backend.pool.engine import now_ms, read, write
from backend.pool.tables import ledger, projects

if TYPE_CHECKING:
    from model.teacher.base import Usage


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything booked for a project. `unsettled_microusd` is reserved: by calls under way or lost with a process."""

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    microusd: int = 0
    unsettled_microusd: int = 0
    cap_microusd: int = 0


def set_cap(engine: sa.Engine, project: int, microusd: int) -> None:
    """Set what the project may spend in all; writes only if it is new."""
    here = projects.c.project == project
    with read(engine) as connection:
        known = connection.execute(sa.select(projects.c.cap_microusd).where(here)).scalar_one_or_none()
    if known is not None and known != microusd:
        with write(engine) as connection:
            connection.execute(sa.update(projects).where(here).values(cap_microusd=microusd))


def reserve(engine: sa.Engine, project: int, microusd: int) -> bool:
    """Set aside what a call can cost at most; False if that would pass the cap, or the project is unknown."""
    if microusd < 0:
        raise ValueError(f"a call cannot cost {microusd} micro-dollars")
    spent = projects.c.spent_microusd + microusd
    claim = sa.update(projects).where(projects.c.project == project, spent <= projects.c.cap_microusd)
    with write(engine) as connection:
        return connection.execute(claim.values(spent_microusd=spent)).rowcount == 1


def settle(engine: sa.Engine, project: int, version: str, reserved: int, usage: Usage) -> None:
    """Book what a call did cost in place of what was reserved for it. A call that never happened leaves no entry."""
    entry = {
        "project": project,
        "version": version,
        "calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "microusd": usage.microusd,
    }
    difference = usage.microusd - reserved
    with write(engine) as connection:
        spent = {"spent_microusd": projects.c.spent_microusd + difference}
        connection.execute(sa.update(projects).where(projects.c.project == project).values(spent))
        if any((usage.calls, usage.input_tokens, usage.output_tokens, usage.microusd)):
            connection.execute(sa.insert(ledger), {**entry, "created_ms": now_ms()})


def release_unsettled(engine: sa.Engine, project: int) -> int:
    """Give back what killed processes had reserved; micro-dollars. Only while no call of the project is under way."""
    with write(engine) as connection:
        here = projects.c.project == project
        query = sa.select(projects.c.spent_microusd).where(here).with_for_update()
        spent = int(connection.execute(query).scalar_one_or_none() or 0)
        booked = _booked(connection, project).microusd
        connection.execute(sa.update(projects).where(here).values(spent_microusd=booked))
    return spent - booked


def totals(engine: sa.Engine, project: int) -> Totals:
    """Sums over all entries, and what is reserved."""
    query = sa.select(projects.c.spent_microusd, projects.c.cap_microusd).where(projects.c.project == project)
    with read(engine) as connection:
        booked = _booked(connection, project)
        spent, cap = connection.execute(query).one_or_none() or (booked.microusd, 0)
    return Totals(
        booked.calls,
        booked.input_tokens,
        booked.cached_tokens,
        booked.output_tokens,
        booked.microusd,
        spent - booked.microusd,
        cap,
    )


def _booked(connection: sa.Connection, project: int) -> Totals:
    names = ("calls", "input_tokens", "cached_tokens", "output_tokens", "microusd")
    sums = [sa.func.coalesce(sa.func.sum(ledger.c[name]), 0).label(name) for name in names]
    row = connection.execute(sa.select(*sums).where(ledger.c.project == project)).one()
    return Totals(**{name: int(value) for name, value in row._mapping.items()})
