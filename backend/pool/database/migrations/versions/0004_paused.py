"""Projects can be paused."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("projects", sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False))
