"""Questions to a paid teacher that are under way: claimed before they are asked, so that nobody pays twice.

A claim ends with whoever made it: it names a lock that its holder keeps while it asks, and that the system or the
database drops when the holder is gone. So no clock has a say, and a killed process holds nobody up.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from backend.pool.database.bulk import among, chunks, delete, insert
from backend.pool.database.engine import write
from backend.pool.database.lock import alone
from backend.pool.database.work_tables import claims as table

TRIES = 3  # claims of killed processes are taken away, and others may be quicker to take their place


class Asking:
    """Whoever asks now. Questions are known by the hash of their text: two tasks with one text are one question."""

    def __init__(self, engine: sa.Engine, holder: str) -> None:
        self._engine, self._holder = engine, holder

    def take(self, project: int, version: str, texts: Collection[str]) -> set[str]:
        """Those of the texts (hashes) that nobody else asks the teacher version about: they are ours until released."""
        mine: set[str] = set()
        for _ in range(TRIES):
            others = self._claim(project, version, sorted(set(texts) - mine), mine)
            gone = {holder for holder in others if _is_gone(self._engine, holder)}
            if not gone:
                break
            with write(self._engine) as connection:
                delete(connection, table, table.c.holder.in_(gone))
        return mine

    def release(self, project: int, version: str, texts: Collection[str]) -> None:
        """They were asked, and their answers are stored; or they are not asked after all."""
        here = (table.c.project == project, table.c.version == version, table.c.holder == self._holder)
        with write(self._engine, late=True) as connection:
            for chunk in chunks(sorted(texts)):
                delete(connection, table, *here, among(connection, table.c.text_hash, chunk))

    def release_all(self) -> None:
        """Nothing is asked any more."""
        with write(self._engine, late=True) as connection:
            delete(connection, table, table.c.holder == self._holder)

    def _claim(self, project: int, version: str, texts: list[str], mine: set[str]) -> set[str]:
        """Claim what is free, adding it to `mine`; the holders of the rest."""
        if not texts:
            return set()
        row = {"project": project, "version": version, "holder": self._holder}
        others: set[str] = set()
        with write(self._engine) as connection:
            statement = insert(connection, table).on_conflict_do_nothing().returning(table.c.text_hash)
            mine.update(connection.scalars(statement, [{**row, "text_hash": text} for text in texts]))
            here = sa.select(table.c.holder).where(table.c.project == project, table.c.version == version)
            for chunk in chunks([text for text in texts if text not in mine]):
                others.update(connection.scalars(here.where(among(connection, table.c.text_hash, chunk))))
        return others - {self._holder}


@contextmanager
def asking(engine: sa.Engine) -> Iterator[Asking]:
    """Ask questions while the block runs; its claims end with it."""
    holder = f"asking-{uuid.uuid4().hex}"
    with alone(engine, holder, lasting=False):
        found = Asking(engine, holder)
        yield found
        found.release_all()  # not after an error: then they end with the lock


def _is_gone(engine: sa.Engine, holder: str) -> bool:
    with alone(engine, holder, lasting=False) as free:
        return free
