"""The pool: the database of tasks, candidate sets, human labels, versions and spending."""
