"""What the tasks of a query share, where the label config does not show it."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.create_table(
        "queries",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", "task", name=op.f("pk_queries")),
    )
    op.add_column("projects", sa.Column("grouped", sa.Text(), nullable=False, server_default=""))
