"""The whole schema: every table, of whatever family. Whoever goes through all tables takes it from here."""

import sqlalchemy as sa

from backend.pool.database import student_tables, tables, work_tables
from backend.pool.database.metadata import metadata

FAMILIES = (tables, student_tables, work_tables)  # importing them makes their tables known to `metadata`
SCHEMA: sa.MetaData = metadata
