"""The rows of which it is open whether Label Studio holds them are few: an index of their own finds them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    where = sa.column("confirmed") == sa.false()
    op.create_index(
        "ix_published_open", "published", ["project", "open_until_ms"], sqlite_where=where, postgresql_where=where
    )
