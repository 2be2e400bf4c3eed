"""Rows that Label Studio got by /predict are awaited there before they count as lost."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("published", sa.Column("open_until_ms", sa.BigInteger(), server_default="0", nullable=False))
