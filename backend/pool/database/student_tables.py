"""Tables of students: versions, their answers, and what follows from them."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool.database.metadata import metadata

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),  # student-… or committee-<number>-<label space's hash>
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("space_hash", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # trained, publishing, promoted, rejected, retired, removed
    sa.Column("reason", sa.Text, nullable=False, server_default=""),  # why it was promoted or rejected
    sa.Column("metrics", sa.JSON, nullable=False),
    sa.Column("human_labels", sa.Integer, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("promoted_ms", sa.BigInteger, nullable=True),
)
predictions = sa.Table(
    "predictions",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("text_hash", sa.String(32), nullable=False),
    sa.Column("label", sa.Text, nullable=False),  # the first one where several may be right; "" for none
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("labels", sa.JSON(none_as_null=True), nullable=True),  # all, where several may be right; else null
)
published = sa.Table(  # which rows Label Studio holds already: the record that makes publishing restartable
    "published",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    # written as false before a row is sent: after a crash Label Studio is asked about exactly these
    sa.Column("confirmed", sa.Boolean, nullable=False, server_default=sa.true()),
    # until then Label Studio may still be storing a row that it got by /predict
    sa.Column("open_until_ms", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("outdated", sa.Boolean, nullable=False, server_default=sa.false()),  # the text was edited since
)
acquisition = sa.Table(  # by which Label Studio sorts where SCORE is `acquisition`: lowest first
    "acquisition",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("score", sa.Float, nullable=False),  # the student's margin, in [0, 1]
)
relevances = sa.Table(  # by which the documents of a query are ranked, and Label Studio where SCORE is `relevance`
    "relevances",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("score", sa.Float, nullable=False),  # in [0, 1]
)
shortlists = sa.Table(  # what a student names where it is unsure and SERVE_UNSURE is `shortlist`
    "shortlists",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("labels", sa.JSON, nullable=False),  # most likely first, at least two
    sa.Column("confidences", sa.JSON, nullable=False),
)
queues = sa.Table(  # the tasks that come next, in order: for the teacher, and for people
    "queues",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("queue", sa.String(16), primary_key=True),  # teacher, people
    sa.Column("version", sa.String(64), nullable=False),  # of the student that chose; "" before there is one
    sa.Column("tasks", sa.JSON, nullable=False),
    sa.Column("done", sa.Integer, nullable=False, server_default="0"),  # how many Label Studio was told of
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
propensities = sa.Table(  # how people came to a task that they were asked to decide
    "propensities",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), nullable=False),  # of the student that asked
    sa.Column("propensity", sa.Float, nullable=False),  # chance with which it was drawn; 0: its score chose it
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
rulings = sa.Table(  # who decided each task that a committee answered
    "rulings",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),  # committee-…
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source", sa.String(16), nullable=False),  # committee, llm, fallback, people, unresolved
)
classifiers = sa.Table(  # existing classifiers that were proposed for a committee, and what a person said about them
    "classifiers",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.String(255), primary_key=True),  # hub name or folder
    sa.Column("space_hash", sa.String(16), nullable=False),  # of the label space that the map leads to
    sa.Column("map", sa.JSON, nullable=False),  # its label -> ours, or null: it abstains
    sa.Column("confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("proposed_by", sa.String(128), nullable=False),  # names, or the LLM
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("trial", sa.JSON, nullable=True),  # against people's labels; null: it was not tried
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
sa.Index("ix_predictions_version", predictions.c.project, predictions.c.version, predictions.c.task)
sa.Index(  # the few open rows among all of all versions
    "ix_published_open",
    published.c.project,
    published.c.open_until_ms,
    sqlite_where=published.c.confirmed == sa.false(),
    postgresql_where=published.c.confirmed == sa.false(),
)
sa.Index(  # the few rows that are to be taken back
    "ix_published_outdated",
    published.c.project,
    sqlite_where=published.c.outdated == sa.true(),
    postgresql_where=published.c.outdated == sa.true(),
)
