"""What all tables of the pool belong to, and the type of a row number."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

PASSING = {"passing": True}  # `info` of tables about processes that run now: no part of a backup


def row_number() -> int:
    """A number for a row that others refer to. Drawn, not counted: SQLite gives the number of a deleted last row once
    more, and a restored pool would begin anew. Below 2**53, so that JSON holds it exactly everywhere."""
    return 1 + secrets.randbelow(2**53 - 1)
