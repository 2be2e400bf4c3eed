"""Projects of before go on with the one question that they have; new ones, and changed label configs, have all."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("projects", sa.Column("questions", sa.Text(), server_default="", nullable=False))
    projects = sa.table("projects", sa.column("project"), sa.column("space", sa.JSON), sa.column("questions"))
    connection = op.get_bind()
    spaces = connection.execute(sa.select(projects.c.project, projects.c.space)).all()
    for project, space in spaces:
        control = str(space.get("scope", "")).partition("|")[0] if isinstance(space, dict) else ""
        if control:
            mine = projects.c.project == project
            connection.execute(sa.update(projects).where(mine).values(questions=control))
