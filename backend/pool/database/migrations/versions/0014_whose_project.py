"""A project is known by its number at a Label Studio and the time at which it was made there; money and the numbers of
versions outlive its being forgotten. What is there belongs to the Label Studio that it was told by: nothing moves."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    number, text = sa.BigInteger(), sa.Text()
    op.add_column("projects", sa.Column("label_studio_id", number, server_default="0", nullable=False))
    op.add_column("projects", sa.Column("instance", text, server_default="", nullable=False))
    op.add_column("projects", sa.Column("elsewhere", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("projects", sa.Column("forgotten", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("projects", sa.Column("carried_microusd", number, server_default="0", nullable=False))
    op.add_column("projects", sa.Column("versions_made", sa.Integer(), server_default="0", nullable=False))
    made = "SELECT max(number) FROM versions WHERE versions.project = projects.project"
    op.execute(f"UPDATE projects SET label_studio_id = project, versions_made = COALESCE(({made}), 0)")
    op.create_index("ix_projects_label_studio_id", "projects", ["label_studio_id", "created"], unique=True)
