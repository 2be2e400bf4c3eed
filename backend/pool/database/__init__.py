"""Engine, tables, migrations, bulk writes, locks, dump: alike on SQLite and PostgreSQL."""
