"""Backups of former releases: loaded into an empty pool as it was then, which is then brought up to date."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

import sqlalchemy as sa

from backend.pool.database.engine import REVISIONS, migrate
from backend.pool.database.schema import SCHEMA
from backend.pool.database.work_tables import batches, reservations

UNFINISHED = ("submitting", "open")


def tables_at(connection: sa.Connection, revision: str) -> sa.MetaData:
    """Make an empty pool one of an older revision; its tables as the database tells them."""
    SCHEMA.drop_all(connection)
    connection.exec_driver_sql(f"DROP TABLE {REVISIONS.name}")
    migrate(connection, revision)
    found = sa.MetaData()
    found.reflect(connection)
    return found


def relink(connection: sa.Connection) -> None:
    """Let batches find what is set aside for them where a backup had no numbers of reservations.

    Reservations came in the order of their former numbers, which the batches still name: of the same project, version
    and amount, the first belongs to the batch with the smallest. One that no batch waits for counts as lost.
    """
    held: dict[tuple[Any, ...], deque[int]] = defaultdict(deque)
    for row in connection.execute(
        sa.select(reservations).where(reservations.c.until_ms.is_(None)).order_by("reservation")
    ):
        held[row.project, row.version, row.microusd].append(row.reservation)
    open_ones = sa.select(batches).where(batches.c.state.in_(UNFINISHED), batches.c.reservation.is_not(None))
    waiting = connection.execute(open_ones.order_by(batches.c.reservation)).all()
    connection.execute(sa.update(batches).values(reservation=None))
    for row in waiting:
        mine = held[row.project, row.version, row.reserved_microusd]
        if mine:
            same = sa.update(batches).where(batches.c.batch == row.batch)
            connection.execute(same.values(reservation=mine.popleft()))
    for number in (number for rest in held.values() for number in rest):
        connection.execute(sa.update(reservations).where(reservations.c.reservation == number).values(until_ms=0))
