"""Fencing: whoever takes a lock draws a token, and each of its writes shows it in the same transaction.

A process that was held up (suspended, or cut off from the database) may have lost its lock without knowing; its
successor has drawn another token by then, so that nothing is written beside it. See M. Kleppmann, "How to do
distributed locking" (2016).
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from backend.errors import TurnLost
from backend.pool.database.bulk import upsert
from backend.pool.database.work_tables import turns

OPTION = "turn"  # of an engine, and of its connections: (name of the lock, token)
STANDSTILL_MS = 60_000  # PostgreSQL ends a transaction in which a job has done nothing for so long: others wait for it
TAKEOVER_MS = 10_000  # how long a successor waits for a write of its predecessor's


def take_turn(connection: sa.Connection, name: str) -> str:
    """Draw the token of a lock's new holder: from the end of this transaction its predecessor writes no more."""
    token = secrets.token_hex(16)
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.set_config("lock_timeout", str(TAKEOVER_MS), True)))
    upsert(connection, turns, [{"name": name, "token": token}])
    return token


def expect_turn(connection: sa.Connection) -> None:
    """Raise TurnLost if the connection's engine has a turn that is over. Else nobody can take it before the end of this
    transaction."""
    turn = connection.get_execution_options().get(OPTION)
    if turn is None:
        return
    name, token = turn
    query = sa.select(turns.c.token).where(turns.c.name == name).with_for_update(read=True)
    if connection.dialect.name == "postgresql":
        limit = sa.func.set_config("idle_in_transaction_session_timeout", str(STANDSTILL_MS), True)
        query = query.add_columns(limit)
    if connection.scalar(query) != token:
        raise TurnLost(
            f"this process was held up for so long that another one has taken over {name}; what it still wanted to "
            "write was refused, and the other one does it. If this happens again, look whether the machine sleeps, is "
            "short of memory, or loses its connection to the database"
        )
