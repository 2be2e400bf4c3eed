"""Which rows at Label Studio are about a text that was edited since: they are taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("published", sa.Column("outdated", sa.Boolean(), server_default=sa.false(), nullable=False))
    some = sa.column("outdated") == sa.true()
    op.create_index("ix_published_outdated", "published", ["project"], sqlite_where=some, postgresql_where=some)
