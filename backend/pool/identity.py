"""Whose project a message is about. Label Studio's number is not enough: every Label Studio has a project 1.

What tells: each call and event names the project's number at Label Studio and the time at which it was made there
(`/setup` and `/predict` as `<id>.<epoch seconds>`, events as `created_at`). Two Label Studios, or a number that was
given anew, differ in that time. `/setup` also states an address, which may change and which several may share
(http://localhost:8080), so that it is kept for people to read and decides nothing.

A project has a number here for ever. The first project with a Label Studio number gets the same one; another one with
that number gets the next free of number + 1,000,000, + 2,000,000, …. So nothing is ever moved or removed because
somebody says that a project is another one. A forgotten project (`shortlist disconnect --forget`) keeps its row, with
what was spent and how many versions were made; if the same project comes again, it goes on there. What was spent under
a Label Studio number counts against the budget of its next project, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from backend.errors import ProjectError
from backend.pool.database.tables import projects

STEP = 1_000_000  # between the numbers of projects with the same number at Label Studio
LARGEST = 2**63 - 1

_NAMESAKES = (  # made once: every request needs it
    sa.select(projects).where(projects.c.label_studio_id == sa.bindparam("number")).order_by(projects.c.project)
)


def meant(connection: sa.Connection, label_studio_id: int, created: str) -> sa.RowMapping | None:
    """The row of the project with this number at its Label Studio, made there at `created` (epoch seconds).

    A row whose time was never told is taken for it. Without a time the only project with that number is meant;
    ProjectError where there are several.
    """
    rows = connection.execute(_NAMESAKES, {"number": label_studio_id}).mappings().all()
    return _only([row for row in rows if not row["forgotten"]], label_studio_id, created)


def claim(connection: sa.Connection, label_studio_id: int, created: str) -> sa.RowMapping | None:
    """As `meant`, and held until the transaction ends; a forgotten project is found, too."""
    rows = connection.execute(_NAMESAKES.with_for_update(), {"number": label_studio_id}).mappings().all()
    gone = [row for row in rows if row["forgotten"]]
    found = _only([row for row in rows if not row["forgotten"]], label_studio_id, created)
    return found or _pick(gone, created) or (gone[0] if gone and not created else None)


def _only(rows: Sequence[sa.RowMapping], label_studio_id: int, created: str) -> sa.RowMapping | None:
    found = _pick(rows, created)
    if found is None and not created and rows:
        places = ", ".join(f"{row['project']} ({row['title']})" for row in rows)
        raise ProjectError(
            f"several projects have the number {label_studio_id} at their Label Studio: {places}; the request must say "
            "which, as <id>.<created>"
        )
    return found


def newcomer(connection: sa.Connection, label_studio_id: int) -> dict[str, Any]:
    """Number, and money spent before, of a project that is not known yet."""
    number = label_studio_id
    while connection.execute(sa.select(projects.c.project).where(projects.c.project == number)).first() is not None:
        number += STEP
        if number > LARGEST:
            raise ProjectError(f"project {label_studio_id} cannot be told from others: its number is too large")
    own = sa.func.sum(projects.c.spent_microusd - projects.c.carried_microusd)
    query = sa.select(sa.func.coalesce(own, 0)).where(projects.c.label_studio_id == label_studio_id)
    spent = int(connection.execute(query).scalar_one())
    return {
        "project": number,
        "label_studio_id": label_studio_id,
        "spent_microusd": spent,
        "carried_microusd": spent,
    }


def _pick(rows: Sequence[sa.RowMapping], created: str) -> sa.RowMapping | None:
    if not created:
        return rows[0] if len(rows) == 1 else None
    return next((row for row in rows if row["created"] == created), None) or next(
        (row for row in rows if not row["created"]), None
    )
