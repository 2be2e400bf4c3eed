"""How many people answer a task before a promise about the pool counts it as decided."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("promises", sa.Column("voices", sa.Integer(), nullable=False, server_default="1"))
