"""Existing classifiers that were proposed for a project's committee, and which of them a person confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.create_table(
        "classifiers",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("space_hash", sa.String(16), nullable=False),
        sa.Column("map", sa.JSON(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("proposed_by", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trial", sa.JSON(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "place", name=op.f("pk_classifiers")),
    )
