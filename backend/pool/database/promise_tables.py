"""Tables of promises about finished pools."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool.database.metadata import metadata

promises = sa.Table(
    "promises",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("attempt", sa.Integer, nullable=False),  # the first is 1; a new target or other labels make a new one
    sa.Column("space_hash", sa.String(16), nullable=False),
    sa.Column("target", sa.Float, nullable=False),  # share of labels that may be wrong
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # auditing, promised, finished, kept, given up
    sa.Column("first", sa.Float, nullable=False),  # ranks below were audited by former attempts
    sa.Column("limit", sa.Float, nullable=False),  # ranks from `first` up to here are audited
    sa.Column("sizes", sa.JSON, nullable=False),  # how many tasks each look audits, fixed before the first
    sa.Column("looks", sa.Integer, nullable=False),  # how many are over
    sa.Column("certificate", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("forecast", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("wish", sa.String(16), nullable=False),  # what somebody wants: annotations, predictions, undo, or ""
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("voices", sa.Integer, nullable=False, server_default="1"),  # people who answer each task of the audit
    sa.Column("picks", sa.JSON, nullable=False, server_default="[]"),  # how many tasks are chosen at each look
    sa.Column("parts", sa.JSON, nullable=False, server_default="[]"),  # what each part may lose; []: the whole, errors
)
chosen = sa.Table(  # tasks that people decided, or were asked for, for another reason than their rank
    "chosen",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seen", sa.Boolean, nullable=False),  # decided before its rank was asked for: it counts as wrong
)
certified = sa.Table(  # what the certificate was made from, and what it says of every task
    "certified",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("role", sa.String(16), nullable=False),  # chosen, audit, decided, accepted, people
    sa.Column("label", sa.Text, nullable=False),  # the student's answer, frozen; "" where it has none
    sa.Column("score", sa.Float, nullable=False),  # the student's probability of it
    sa.Column("wrong", sa.Boolean, nullable=False),  # of the audit: people did not say the same
    sa.Column("written", sa.String(16), nullable=False),  # annotation, prediction, or "": Label Studio has none of ours
    sa.Column("annotation", sa.BigInteger, nullable=True),
    sa.Column("votes", sa.JSON(none_as_null=True), nullable=True),  # person to label, where several had answered
    sa.Column(
        "lost", sa.JSON(none_as_null=True), nullable=True
    ),  # of the audit, where wrong says too little: by question
)
