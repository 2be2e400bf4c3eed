"""The tables of the pool. Times are UTC in integer milliseconds, money is in micro-dollars (1 USD = 1,000,000)."""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),  # Label Studio's id
    sa.Column("created", sa.String(32), nullable=False),  # Label Studio's creation time: tells a re-created id
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("label_config", sa.Text, nullable=False),
    sa.Column("space", sa.JSON, nullable=True),  # LabelSpace.to_json(); null while the label config is not supported
    sa.Column("space_hash", sa.String(16), nullable=False, server_default=""),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),  # why the label config is not supported
    sa.Column("options", sa.JSON, nullable=False),  # extra_params as an object
    sa.Column("served", sa.String(64), nullable=True),  # the promoted student version: the one source of truth
    sa.Column("published", sa.String(64), nullable=True),  # the version Label Studio's connection title was set to
    sa.Column("synced", sa.String(40), nullable=False, server_default=""),  # largest updated_at seen at Label Studio
    sa.Column("changes", sa.Integer, nullable=False, server_default="0"),  # changed human labels, ever
    sa.Column("trained_changes", sa.Integer, nullable=False, server_default="0"),  # `changes` at the last training
    sa.Column("changed_ms", sa.BigInteger, nullable=False, server_default="0"),  # time of the last changed human label
    sa.Column("cap_microusd", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("spent_microusd", sa.BigInteger, nullable=False, server_default="0"),  # settled plus reserved
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("instructions", sa.Text, nullable=False, server_default=""),  # what Label Studio tells the annotators
    sa.Column("trained_sets", sa.Integer, nullable=False, server_default="0"),  # asked tasks at the last training
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),  # by `shortlist pause`
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("text_hash", sa.String(32), nullable=False),  # first 32 hex digits of SHA-256 over the text
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

candidate_sets = sa.Table(
    "candidate_sets",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),  # teacher-<teacher's hash>-<label space's hash>
    sa.Column("text_hash", sa.String(32), nullable=False),  # of the text that was asked: an edited text is asked again
    sa.Column("state", sa.String(16), nullable=False),  # answered, abstained, unparsed
    sa.Column("labels", sa.JSON, nullable=False),  # most likely first; [] unless answered
    sa.Column("size", sa.Integer, nullable=False, server_default="0"),  # number of labels, so that figures need no JSON
    sa.Column("confidences", sa.JSON, nullable=False),
    sa.Column("raw", sa.Text, nullable=False, server_default=""),  # the answer as received
    sa.Column("input_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("output_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("microusd", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
sa.Index(  # holds all that "which tasks are missing" and "how many" ask for
    "ix_candidate_sets_version",
    candidate_sets.c.project,
    candidate_sets.c.version,
    candidate_sets.c.task,
    candidate_sets.c.text_hash,
    candidate_sets.c.state,
    candidate_sets.c.size,
)

annotations = sa.Table(
    "annotations",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("annotation", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, nullable=False),
    sa.Column("annotator", sa.BigInteger, nullable=True),
    sa.Column("labels", sa.JSON, nullable=False),  # [] for a skip
    sa.Column("state", sa.String(16), nullable=False),  # labelled, skipped, empty, deleted
    sa.Column("ground_truth", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("updated_at", sa.String(40), nullable=False),  # Label Studio's own, ISO 8601: compared as text
    sa.Column("shown_at", sa.String(40), nullable=True),  # `updated_at` of the event that told: the earliest one counts
    sa.Column("shown_version", sa.String(64), nullable=True),  # what the person was shown: the prequential prediction
    sa.Column("shown_labels", sa.JSON, nullable=True),
    sa.Column("shown_score", sa.Float, nullable=True),
    sa.Column("seen_ms", sa.BigInteger, nullable=False),
)
sa.Index("ix_annotations_project_task", annotations.c.project, annotations.c.task)

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
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
)
sa.Index("ix_predictions_version", predictions.c.project, predictions.c.version, predictions.c.task)

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
)
sa.Index(  # the few open rows among all of all versions
    "ix_published_open",
    published.c.project,
    published.c.open_until_ms,
    sqlite_where=published.c.confirmed == sa.false(),
    postgresql_where=published.c.confirmed == sa.false(),
)

label_spaces = sa.Table(  # every label space that a teacher was asked about: what may be carried over to a changed one
    "label_spaces",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("space_hash", sa.String(16), primary_key=True),
    sa.Column("space", sa.JSON, nullable=False),  # LabelSpace.to_json()
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

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
)

batches = sa.Table(  # what was handed to a provider's batch API, stored before anybody waits for it
    "batches",
    metadata,
    sa.Column("batch", serial, primary_key=True, autoincrement=True),
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
sa.Index("ix_batches_project", batches.c.project, batches.c.state)

reservations = sa.Table(  # money set aside for calls under way; part of projects.spent_microusd
    "reservations",
    metadata,
    sa.Column("reservation", serial, primary_key=True, autoincrement=True),
    sa.Column("project", sa.BigInteger, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("microusd", sa.BigInteger, nullable=False),
    sa.Column("until_ms", sa.BigInteger, nullable=True),  # then its process is dead; null: a batch, which may take days
)
sa.Index("ix_reservations_project", reservations.c.project)

teachers = sa.Table(  # what made a teacher version
    "teachers",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("core", sa.String(64), nullable=False),  # the version that it would be without the project's instructions
    sa.Column("teacher", sa.Text, nullable=False),  # TEACHER
    sa.Column("strategy", sa.String(16), nullable=False),  # PROMPT
    sa.Column("anew", sa.Boolean, nullable=False, server_default=sa.false()),  # takes no answers over from another one
    sa.Column("created_ms", sa.BigInteger, nullable=False),
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
)
sa.Index("ix_ledger_project", ledger.c.project)

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
sa.Index("ix_incidents_project", incidents.c.project)

answers = sa.Table(  # what a paid teacher replied, whatever project asked: nobody pays twice for one question
    "answers",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("prompt_hash", sa.String(64), primary_key=True),
    sa.Column("text_hash", sa.String(32), primary_key=True),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("calls", sa.Integer, nullable=False, server_default="0"),
    sa.Column("input_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cached_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("output_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("microusd", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

acquisition = sa.Table(  # by which Label Studio sorts where SCORE is `acquisition`: lowest first
    "acquisition",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("score", sa.Float, nullable=False),  # the student's margin, in [0, 1]
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
