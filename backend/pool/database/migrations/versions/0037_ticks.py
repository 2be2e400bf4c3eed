"""How many labels are ticked, where people's decisions choose that."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("projects", sa.Column("ticks", sa.String(length=8), nullable=False, server_default=""))
