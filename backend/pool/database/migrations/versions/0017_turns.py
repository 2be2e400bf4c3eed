"""Who may write as a job, which questions are being asked, which reservation a lost entry stands for; and numbers of
batches and reservations are drawn."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards. There is no way back: restore a backup instead."""
    if op.get_bind().dialect.name == "postgresql":  # SQLite has no counter besides the rows
        for table, column in (("batches", "batch"), ("reservations", "reservation")):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
            op.execute(f"DROP SEQUENCE IF EXISTS {table}_{column}_seq")
    op.create_table(
        "turns",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turns")),
    )
    op.create_table(
        "claims",
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("text_hash", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("project", "version", "text_hash", name=op.f("pk_claims")),
    )
    op.add_column("ledger", sa.Column("reservation", sa.BigInteger(), nullable=True))
    op.create_index("ix_ledger_reservation", "ledger", ["reservation"])
