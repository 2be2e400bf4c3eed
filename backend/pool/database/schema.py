"""The whole schema: every table, of whatever family. Whoever goes through all tables takes it from here."""

import sqlalchemy as sa

from backend.pool.database import people_tables, promise_tables, student_tables, tables, tallies, work_tables
from backend.pool.database.metadata import metadata

FAMILIES = (
    tables,
    student_tables,
    work_tables,
    promise_tables,
    people_tables,
    tallies,
)  # importing them makes their tables known to `metadata`
SCHEMA: sa.MetaData = metadata
