"""No query looks a task up by the hash of its text: the index only made every write slower, the more the larger."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    with op.batch_alter_table("tasks") as batch_op:
        batch_op.drop_index("ix_tasks_project_text_hash")
