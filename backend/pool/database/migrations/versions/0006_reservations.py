"""Money set aside gets rows of its own, batches a mark to be found by, teacher versions a record of what made them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead.

    What was set aside before has no row: it stays spent, as the ledger's lost money does.
    """
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "reservations",
        sa.Column("reservation", serial, autoincrement=True, nullable=False),
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("microusd", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("reservation", name=op.f("pk_reservations")),
    )
    op.create_index("ix_reservations_project", "reservations", ["project"])
    op.create_table(
        "teachers",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("core", sa.String(64), nullable=False),
        sa.Column("teacher", sa.Text(), nullable=False),
        sa.Column("strategy", sa.String(16), nullable=False),
        sa.Column("anew", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "version", name=op.f("pk_teachers")),
    )
    op.add_column("batches", sa.Column("reservation", sa.BigInteger(), nullable=True))
    op.add_column("batches", sa.Column("mark", sa.String(32), server_default="", nullable=False))
