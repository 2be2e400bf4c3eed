"""When each project was last compared with Label Studio."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.create_table(
        "comparisons",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("looked_ms", sa.BigInteger(), nullable=False),
        sa.Column("compared_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_all_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_comparisons")),
    )
