"""The ledger knows what went through a batch API."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("ledger", sa.Column("batch", sa.Boolean(), server_default=sa.false(), nullable=False))
