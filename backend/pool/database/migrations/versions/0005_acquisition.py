"""Which tasks come next: scores by which Label Studio sorts, queues, and what the last training had learned from."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("projects", sa.Column("trained_sets", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "acquisition",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("task", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("project", "version", "task", name=op.f("pk_acquisition")),
    )
    op.create_table(
        "queues",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("queue", sa.String(16), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("tasks", sa.JSON(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "queue", name=op.f("pk_queues")),
    )
