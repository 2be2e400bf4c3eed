"""What each part of a promise may lose, and what audited answers lose by question."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("promises", sa.Column("parts", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("certified", sa.Column("lost", sa.JSON(none_as_null=True), nullable=True))
