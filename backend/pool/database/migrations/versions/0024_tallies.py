"""Rows are counted as they come and go: looking at a project costs the same however many tasks it has."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.create_table(
        "tallies",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "kind", "version", "state", "slot", name=op.f("pk_tallies")),
    )
    op.create_table(
        "completions",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.String(length=96), nullable=False),
        sa.Column("stamp", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("project", "what", name=op.f("pk_completions")),
    )
