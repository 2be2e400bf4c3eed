"""How long each decision took people, as Label Studio measured it."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("annotations", sa.Column("lead_time", sa.Float(), nullable=True))
