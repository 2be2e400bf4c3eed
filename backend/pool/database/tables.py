"""The tables of the pool. Times are UTC in integer milliseconds, money is in micro-dollars (1 USD = 1,000,000)."""

import sqlalchemy as sa

from backend.pool.database.metadata import metadata

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),  # number here: see pool/identity.py
    sa.Column("created", sa.String(32), nullable=False),  # Label Studio's creation time: tells whose project it is
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
    sa.Column("on_screen", sa.Text, nullable=True),  # the version that Label Studio's project shows; "" none
    sa.Column("label_studio_id", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("instance", sa.Text, nullable=False, server_default=""),  # the address that its Label Studio states
    sa.Column("elsewhere", sa.Boolean, nullable=False, server_default=sa.false()),  # not at LABEL_STUDIO_URL
    sa.Column("forgotten", sa.Boolean, nullable=False, server_default=sa.false()),  # only money and counters are left
    sa.Column("carried_microusd", sa.BigInteger, nullable=False, server_default="0"),  # of spent: before this project
    sa.Column("blind_to", sa.Float, nullable=False, server_default="0"),  # an audit shows tasks of lower rank blind
    sa.Column("versions_made", sa.Integer, nullable=False, server_default="0"),  # largest number of a version, ever
    sa.Column("questions", sa.Text, nullable=False, server_default=""),  # QUESTIONS where no option says it
    sa.Column("former", sa.Boolean, nullable=False, server_default=sa.false()),  # its config is read as before 0025
    sa.Column("grouped", sa.Text, nullable=False, server_default=""),  # the field whose `queries` were read last
    sa.Column("ticks", sa.String(8), nullable=False, server_default=""),  # what TICKS=auto chose: one, none
)
sa.Index("ix_projects_label_studio_id", projects.c.label_studio_id, projects.c.created, unique=True)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("text_hash", sa.String(32), nullable=False),  # first 32 hex digits of SHA-256 over the text
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

textless_tasks = sa.Table(  # tasks of Label Studio in which there is nothing to read
    "textless_tasks",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
)

queries = sa.Table(  # what the tasks of a query share, where it is a field that the label config does not show
    "queries",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("query", sa.Text, nullable=False),
)

candidate_sets = sa.Table(
    "candidate_sets",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), primary_key=True),  # teacher-<teacher's hash>-<label space's hash>
    sa.Column("text_hash", sa.String(32), nullable=False),  # of the text that was asked: an edited text is asked again
    sa.Column("state", sa.String(16), nullable=False),  # answered, abstained, refused, unparsed
    sa.Column("labels", sa.JSON, nullable=False),  # most likely first; [] unless answered
    sa.Column("size", sa.Integer, nullable=False, server_default="0"),  # number of labels, so that figures need no JSON
    sa.Column("confidences", sa.JSON, nullable=False),
    sa.Column("raw", sa.Text, nullable=False, server_default=""),  # the answer as received
    sa.Column("input_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("output_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("microusd", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("certain", sa.JSON(none_as_null=True), nullable=True),  # of labels, where several may be right; else null
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
    sa.Column("state", sa.String(16), nullable=False),  # labelled, skipped, empty, deleted, accepted
    sa.Column("ground_truth", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("updated_at", sa.String(40), nullable=False),  # Label Studio's own, ISO 8601: compared as text
    sa.Column("shown_at", sa.String(40), nullable=True),  # `updated_at` of the event that told: the earliest one counts
    sa.Column("shown_version", sa.String(64), nullable=True),  # what the person was shown: the prequential prediction
    sa.Column("shown_labels", sa.JSON, nullable=True),
    sa.Column("shown_score", sa.Float, nullable=True),
    sa.Column("seen_ms", sa.BigInteger, nullable=False),
    sa.Column("unknown", sa.JSON, nullable=False, server_default="[]"),  # ticked labels that the config did not have
    sa.Column("lead_time", sa.Float, nullable=True),  # seconds to the first submission, as Label Studio measured them
)
sa.Index("ix_annotations_project_task", annotations.c.project, annotations.c.task)


label_spaces = sa.Table(  # every label space that a teacher was asked about: what may be carried over to a changed one
    "label_spaces",
    metadata,
    sa.Column("project", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("space_hash", sa.String(16), primary_key=True),
    sa.Column("space", sa.JSON, nullable=False),  # LabelSpace.to_json()
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)


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
