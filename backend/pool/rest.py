"""Which projects may lack something: those where a row changed since a look at them found nothing to do, those at work,
and each of them now and then, because files and time change without a row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import sqlalchemy as sa

from backend.pool.database.bulk import together, upsert
from backend.pool.database.engine import read, write
from backend.pool.database.tables import projects
from backend.pool.database.tallies import tallies
from backend.pool.database.work_tables import completions, jobs

LOOK_MS = 300_000  # a project is looked at this often, whatever its rows say: all of them at once, by one job
WHAT = "rest"  # its row of `completions`
LONG = ("label_config", "space", "instructions")  # told by `space_hash` and `problem`, or nobody's work
COLUMNS = [column for column in projects.c if column.name not in LONG]
BUSY = sa.or_(jobs.c.state.in_(("queued", "running")), jobs.c.again)
JOBS = sa.select(
    jobs.c.project,
    sa.func.max(jobs.c.updated_ms),
    sa.func.sum(jobs.c.runs),
    sa.func.sum(sa.case((BUSY, 1), else_=0)),
).group_by(jobs.c.project)
CHANGES = sa.select(tallies.c.project, sa.func.sum(tallies.c.changes)).group_by(tallies.c.project)
NO_JOBS = (None, None, 0)  # of a project that never had one
LOOKS = sa.select(completions.c.project, completions.c.stamp).where(completions.c.what == WHAT)


def restless(engine: sa.Engine, now: int) -> dict[int, str]:
    """The projects to look at, each with a stamp of its rows as they are; `now` in UTC milliseconds.

    A fixed number of statements, whose rows grow with projects and not with tasks.
    """
    with read(engine) as connection:
        changes = dict(iter(connection.execute(CHANGES)))
        at_work = {project: row for project, *row in connection.execute(JOBS)}
        looks = dict(iter(connection.execute(LOOKS)))
        rows = connection.execute(sa.select(*COLUMNS).where(~projects.c.forgotten)).mappings().all()
    found = {}
    for row in rows:
        number = int(row["project"])
        work = at_work.get(number, NO_JOBS)
        stamp = hashlib.sha256(repr((dict(row), changes.get(number), work)).encode()).hexdigest()[:32]
        *_, busy = work
        if busy or not _rests(looks.get(number, ""), stamp, now):
            found[number] = stamp
    return found


def remember(engine: sa.Engine, looks: Mapping[int, tuple[str, int]], now: int) -> None:
    """A look at `now` found nothing to do in these projects: by project, the stamp of its rows before the look, and the
    moment (UTC milliseconds) at which something becomes due without any change to them."""
    next_look = now - now % LOOK_MS + LOOK_MS
    rows = [
        {"project": number, "what": WHAT, "stamp": f"{now}/{min(until, next_look)}/{stamp}"}
        for number, (stamp, until) in sorted(looks.items())
    ]
    if not rows:
        return
    with write(engine) as connection:
        together(connection, WHAT)
        upsert(connection, completions, rows)


def _rests(look: str, stamp: str, now: int) -> bool:
    if not look:
        return False
    since, until, then = look.split("/")
    return then == stamp and int(since) <= now < int(until)
