"""Tables about people's own decisions."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool.database.metadata import metadata

doubts = sa.Table(  # decisions of people that are worth a second look, and what came of the look
    "doubts",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(16), primary_key=True),  # of text, decision and what is said instead
    sa.Column("text_hash", sa.String(32), nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),  # the decision
    sa.Column("said", sa.JSON, nullable=False),  # what is said instead
    sa.Column("kind", sa.String(16), nullable=False),  # twins, others
    sa.Column("margin", sa.Float, nullable=False),  # 0: as doubtful as can be, 1: not at all
    sa.Column("near", sa.JSON, nullable=False),  # the twins, or the decided tasks with the most similar texts
    sa.Column("decided_at", sa.String(40), nullable=False),  # newest `updated_at` of its annotations when it arose
    sa.Column("state", sa.String(16), nullable=False),  # open, confirmed, changed
    sa.Column("settled_ms", sa.BigInteger, nullable=False),  # 0 while it is open
)
