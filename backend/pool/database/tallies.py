"""How many rows a project has in the tables that grow with its tasks, and how often they changed: kept by the database
itself, in the transaction that changes them, so that no writer can forget it and no crash can part the two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from backend.pool.database import people_tables, promise_tables, student_tables, tables, work_tables
from backend.pool.database.metadata import PASSING, metadata

tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(16), primary_key=True),  # the table that is counted
    sa.Column("version", sa.String(64), primary_key=True),  # of its rows; "" where the table has none
    sa.Column("state", sa.String(16), primary_key=True),  # likewise
    sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),  # who counted: writers never wait here
    sa.Column("number", sa.BigInteger, nullable=False),  # rows; of one slot it may be negative, the sum counts
    sa.Column("size", sa.BigInteger, nullable=False),  # sum of their column `size`
    sa.Column("changes", sa.BigInteger, nullable=False),  # only grows
    info=PASSING,
)
COUNTED = (
    tables.tasks, tables.textless_tasks, tables.candidate_sets, tables.annotations, tables.teachers,
    tables.label_spaces, student_tables.predictions, student_tables.published, student_tables.versions,
    student_tables.rulings, student_tables.shortlists, student_tables.classifiers, work_tables.ledger,
    promise_tables.promises, promise_tables.chosen, promise_tables.certified, people_tables.doubts,
)  # fmt: skip
STATED = (tables.candidate_sets, tables.annotations)  # counted by state, too
KEY = "project, kind, version, state, slot"
ADD = (
    f"ON CONFLICT ({KEY}) DO UPDATE SET number = tallies.number + excluded.number, "
    "size = tallies.size + excluded.size, changes = tallies.changes + excluded.changes"
)
MANY = 500  # rows of a project, from which on those of several slots are put together


@dataclass(frozen=True)
class Counted:
    """How the rows of one table are counted: the SQL of version, state and size, after a prefix such as `NEW.`."""

    table: sa.Table

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    def version(self, prefix: str = "") -> str:
        """The version of a row."""
        return f"{prefix}version" if "version" in self.table.c else "''"

    def state(self, prefix: str = "") -> str:
        """The state of a row."""
        return f"{prefix}state" if self.table in STATED else "''"

    def size(self, prefix: str = "") -> str:
        """The size of a row."""
        return f"{prefix}size" if "size" in self.table.c else "0"


def install(connection: sa.Connection) -> None:
    """Have the database count from now on, and count what is there. Run after every migration: on SQLite a table that
    a migration copies loses its triggers."""
    create = _postgresql if connection.dialect.name == "postgresql" else _sqlite
    for one in _there(connection):
        for statement in create(one):
            connection.exec_driver_sql(statement)
    recount(connection)


def _there(connection: sa.Connection) -> list[Counted]:
    """The tables that the schema has; none before it has a place to count in."""
    names = set(sa.inspect(connection).get_table_names())
    return [Counted(table) for table in COUNTED if {table.name, tallies.name} <= names]


def recount(connection: sa.Connection) -> None:
    """Count all rows anew; how often they changed goes on from what it was."""
    there = _there(connection)
    if not there:
        return
    before = sa.select(tallies.c.project, tallies.c.kind, sa.func.sum(tallies.c.changes)).group_by("project", "kind")
    changes = {(project, kind): number for project, kind, number in connection.execute(before)}
    connection.execute(sa.delete(tallies))
    for one in there:
        counts = connection.exec_driver_sql(
            f"SELECT project, {one.version()}, {one.state()}, count(*), sum({one.size()}) FROM {one.name} "
            "GROUP BY 1, 2, 3"
        )
        rows = [
            {"project": project, "kind": one.name, "version": version, "state": state, "slot": 0}
            | {"number": number, "size": size, "changes": 1 + int(changes.get((project, one.name), 0))}
            for project, version, state, number, size in counts
        ]
        if rows:
            connection.execute(sa.insert(tallies), rows)


def _sqlite(one: Counted) -> Iterator[str]:
    """A trigger per row: SQLite has one writer at a time, and a row that is counted is at hand."""
    for event, signs in (("INSERT", {"NEW": 1}), ("DELETE", {"OLD": -1}), ("UPDATE", {"OLD": -1, "NEW": 1})):
        added = "".join(
            f"INSERT INTO tallies ({KEY}, number, size, changes) VALUES ({row}.project, '{one.name}', "
            f"{one.version(row + '.')}, {one.state(row + '.')}, 0, {sign}, {sign} * {one.size(row + '.')}, 1) {ADD}; "
            for row, sign in signs.items()
        )
        name = f"tally_{one.name}_{event.lower()}"
        yield f"DROP TRIGGER IF EXISTS {name}"
        yield f"CREATE TRIGGER {name} AFTER {event} ON {one.name} FOR EACH ROW BEGIN {added}END"


def _postgresql(one: Counted) -> Iterator[str]:
    """A trigger per statement, in a slot of its connection's own."""
    added = {
        rows: f"INSERT INTO tallies ({KEY}, number, size, changes) SELECT project, '{one.name}', {one.version()}, "
        f"{one.state()}, pg_backend_pid(), {sign} * count(*), {sign} * sum({one.size()}), 1 FROM {rows} "
        f"GROUP BY 1, 3, 4 ORDER BY 1, 3, 4 {ADD};"
        for rows, sign in (("gone", -1), ("come", 1))
    }
    yield (
        f"CREATE OR REPLACE FUNCTION tally_{one.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP <> 'INSERT' THEN {added['gone']} END IF; IF TG_OP <> 'DELETE' THEN {added['come']} END IF; "
        "RETURN NULL; END $$"
    )
    seen = {"INSERT": "NEW TABLE AS come", "DELETE": "OLD TABLE AS gone",
            "UPDATE": "OLD TABLE AS gone NEW TABLE AS come"}  # fmt: skip
    for event, rows in seen.items():
        name = f"tally_{one.name}_{event.lower()}"
        yield f"DROP TRIGGER IF EXISTS {name} ON {one.name}"
        yield (
            f"CREATE TRIGGER {name} AFTER {event} ON {one.name} REFERENCING {rows} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION tally_{one.name}()"
        )


def put_together(connection: sa.Connection, project: int) -> None:
    """Where many connections have counted, make theirs one; those that count at this moment are left alone."""
    here = tallies.c.project == project
    if int(connection.execute(sa.select(sa.func.count()).select_from(tallies).where(here)).scalar_one()) <= MANY:
        return
    key = sa.tuple_(*tallies.primary_key)
    free = sa.select(*tallies.primary_key).where(here, tallies.c.slot != 0).with_for_update(skip_locked=True)
    rows = connection.execute(sa.delete(tallies).where(key.in_(free)).returning(tallies)).mappings().all()
    sums: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        sums.setdefault((row["kind"], row["version"], row["state"]), [0, 0, 0])
        for place, name in enumerate(("number", "size", "changes")):
            sums[row["kind"], row["version"], row["state"]][place] += int(row[name])
    add = sa.text(
        f"INSERT INTO tallies ({KEY}, number, size, changes) "
        f"VALUES (:project, :kind, :version, :state, 0, :number, :size, :changes) {ADD}"
    )
    for (kind, version, state), (number, size, changes) in sorted(sums.items()):
        values = {"project": project, "kind": kind, "version": version, "state": state}
        connection.execute(add, {**values, "number": number, "size": size, "changes": changes})
