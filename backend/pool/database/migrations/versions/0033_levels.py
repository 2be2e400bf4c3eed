"""Levels of a project's only question, a Rating or a Number, are known to be in order: answered by the median.

The hash of the label space stays, so that nothing is asked again.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    projects = sa.table("projects", sa.column("project", sa.Integer), sa.column("space", sa.JSON))
    for number, space in op.get_bind().execute(sa.select(projects.c.project, projects.c.space)).all():
        content = json.loads(space) if isinstance(space, str) else space
        if content and "answer" not in content and _levels(content):
            content |= {"answer": "ordered", "least": 1}
            op.get_bind().execute(sa.update(projects).where(projects.c.project == number).values(space=content))


def _levels(space: dict[str, Any]) -> bool:
    """Whether the scope names a tag of levels (name|kind|object), and the labels are whole numbers."""
    tag = any(f"|{kind}|" in space["scope"] for kind in ("Rating", "Number"))
    return tag and all(row["name"].lstrip("-").isdigit() for row in space["labels"])
