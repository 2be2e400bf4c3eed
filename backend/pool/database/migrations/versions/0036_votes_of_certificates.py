"""What each of several people said, in the certificate of their consensus."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("certified", sa.Column("votes", sa.JSON(), nullable=True))
