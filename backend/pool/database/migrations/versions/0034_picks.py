"""How many tasks scores have chosen at each look of a promise, fixed in advance as the audits are."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("promises", sa.Column("picks", sa.JSON(), nullable=False, server_default="[]"))
