"""Label configs of projects of before are read as they were: ticks of unknown meaning stay what they are there."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("projects", sa.Column("former", sa.Boolean(), server_default=sa.false(), nullable=False))
    projects = sa.table("projects", sa.column("forgotten", sa.Boolean), sa.column("former", sa.Boolean))
    op.get_bind().execute(sa.update(projects).where(~projects.c.forgotten).values(former=True))
