"""One archive of database and versions."""
