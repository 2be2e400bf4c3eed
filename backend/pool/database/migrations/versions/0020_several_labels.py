"""What is certain of a candidate set, and all labels of a prediction, where several may be right at once."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    op.add_column("candidate_sets", sa.Column("certain", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("predictions", sa.Column("labels", sa.JSON(none_as_null=True), nullable=True))
