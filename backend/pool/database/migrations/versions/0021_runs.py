"""How often each job has begun: a wish that an older run cannot fulfil is told from one that a newer run has."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("jobs", sa.Column("runs", sa.Integer(), server_default="0", nullable=False))
