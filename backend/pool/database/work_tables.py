"""Tables of work and money: jobs, batches, what is set aside, what was spent, what went wrong."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool.database.metadata import PASSING, metadata, row_number, serial

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(16), primary_key=True),  # sync, annotate, train, publish
    sa.Column("state", sa.String(16), nullable=False),  # queued, running, idle (finished well), failed
    sa.Column("again", sa.Boolean, nullable=False, server_default=sa.false()),  # asked for while it was running
    sa.Column("step", sa.Text, nullable=False, server_default=""),  # in words, for people
    sa.Column("progress", sa.Float, nullable=True),  # in [0, 1]
    sa.Column("error", sa.Text, nullable=True),
    sa.Column("started_ms", sa.BigInteger, nullable=True),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.Column("due_ms", sa.BigInteger, nullable=False, server_default="0"),  # with `again`: not before this time
    sa.Column("runs", sa.Integer, nullable=False, server_default="0"),  # how many have begun
)
batches = sa.Table(  # what was handed to a provider's batch API, stored before anybody waits for it
    "batches",
    metadata,
    sa.Column("batch", serial, primary_key=True, autoincrement=False, default=row_number),
    sa.Column("project", sa.BigInteger, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # submitting, open, done, lost
    sa.Column("tasks", sa.JSON, nullable=False),  # {key: [task, hash of its text]}
    sa.Column("ticket", sa.JSON, nullable=True),  # the provider's ids; null while it is being submitted
    sa.Column("reserved_microusd", sa.BigInteger, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("reservation", sa.BigInteger, nullable=True),  # what is set aside for it
    sa.Column("mark", sa.String(32), nullable=False, server_default=""),  # the provider has it, too: to find it by
)
reservations = sa.Table(  # money set aside for calls under way; part of projects.spent_microusd
    "reservations",
    metadata,
    sa.Column("reservation", serial, primary_key=True, autoincrement=False, default=row_number),
    sa.Column("project", sa.BigInteger, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("microusd", sa.BigInteger, nullable=False),
    sa.Column("until_ms", sa.BigInteger, nullable=True),  # then its process is dead; null: a batch, which may take days
)
ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("entry", serial, primary_key=True, autoincrement=True),
    sa.Column("project", sa.BigInteger, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("calls", sa.Integer, nullable=False),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("cached_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("microusd", sa.BigInteger, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("batch", sa.Boolean, nullable=False, server_default=sa.false()),  # by a batch API, at its price
    sa.Column("reservation", sa.BigInteger, nullable=True),  # the lost one that it stands for
)
incidents = sa.Table(  # what went wrong lately, for people; project 0: what concerns all of them
    "incidents",
    metadata,
    sa.Column("incident", serial, primary_key=True, autoincrement=True),
    sa.Column("project", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # of the job that it befell, or ""
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
)
turns = sa.Table(  # who has each lock now, so that a former holder is known and its writes are refused
    "turns",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),  # <kind>-<project>
    sa.Column("token", sa.String(32), nullable=False),  # drawn anew by every holder
    info=PASSING,
)
claims = sa.Table(  # questions to a paid teacher that are under way
    "claims",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("text_hash", sa.String(32), primary_key=True),
    sa.Column("holder", sa.String(64), nullable=False),  # the lock of whoever asks: free, it is gone
    info=PASSING,
)
completions = sa.Table(  # what was found to lack nothing, so that it is not searched again before a row changes
    "completions",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("what", sa.String(96), primary_key=True),
    sa.Column("stamp", sa.String(255), nullable=False),  # of the tallies, as they were before the search
    info=PASSING,
)
comparisons = sa.Table(  # when all of a project was compared with Label Studio, and who asked for it since
    "comparisons",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("looked_ms", sa.BigInteger, nullable=False),
    sa.Column("compared_ms", sa.BigInteger, nullable=False),
    sa.Column("asked_ms", sa.BigInteger, nullable=False),
    sa.Column("asked_all_ms", sa.BigInteger, nullable=False),
)
sa.Index("ix_batches_project", batches.c.project, batches.c.state)
sa.Index("ix_reservations_project", reservations.c.project)
sa.Index("ix_ledger_project", ledger.c.project)
sa.Index("ix_ledger_reservation", ledger.c.reservation)
sa.Index("ix_incidents_project", incidents.c.project)
