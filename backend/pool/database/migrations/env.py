"""Run by Alembic: migrates inside the transaction that `backend.pool.database.engine.upgrade` has opened and locked."""

from alembic import context

from backend.pool.database.schema import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SCHEMA,
    render_as_batch=True,  # SQLite can hardly alter a table: it is copied instead
    transactional_ddl=False,  # the transaction is ours
)
context.run_migrations()
