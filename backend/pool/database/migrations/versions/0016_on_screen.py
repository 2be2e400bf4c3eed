"""What Label Studio's project shows, labels that a label config does not have, and tasks without text."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("projects", sa.Column("on_screen", sa.Text(), nullable=True))
    op.add_column("annotations", sa.Column("unknown", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "textless_tasks",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("project", "task", name=op.f("pk_textless_tasks")),
    )
    op.execute("UPDATE projects SET synced = ''")  # everything is read once more, for what was not counted before
