"""Which stored answers stand: those about the text that a task has now, and of the labels that the project has now.

Texts are edited and labels replaced while answers are kept. Whoever reads stored answers (candidate sets, predictions
and what belongs to them), to serve, publish, export, count or compare them with people, asks here:

* a version knows the labels whose hash is in its name, so that one of other labels is not read at all: `of_labels`;
* an answer counts only for the text that it was given about: `about` where texts are at hand, `outdated` in a query;
* what people decided for a label that was removed since says nothing about the present ones: `known`.

What stood in the form when a person decided (`shown_…` of an annotation) is a fact about that moment and stays one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

import sqlalchemy as sa

from backend.pool.annotation import Meaning
from backend.pool.database.tables import projects, tasks
from backend.pool.version_names import is_of_space
from model.labels import LabelSpace

T = TypeVar("T")


def of_labels(version: str | None, space_hash: str) -> str:
    """The version if it knows the labels with this hash, else ""."""
    return version if version and is_of_space(version, space_hash) else ""


def about(stored: Mapping[int, tuple[str, T]], hashes: Mapping[int, str]) -> dict[int, T]:
    """Of stored answers by task, each with the hash of its text, those about these texts, given by their hashes."""
    return {task: row[1] for task, row in stored.items() if hashes.get(task) == row[0]}


def outdated(table: sa.Table | sa.Alias) -> sa.ColumnElement[bool]:
    """Whether a row of a table with project, task and text_hash is about another text than the task has now."""
    here = (tasks.c.project == table.c.project, tasks.c.task == table.c.task, tasks.c.text_hash != table.c.text_hash)
    return sa.exists().where(*here)


def present(table: sa.Table | sa.Alias) -> sa.ColumnElement[bool]:
    """Whether a row of a table with project, task and text_hash is about the text that the task has now; not so where
    the task is gone."""
    here = (tasks.c.project == table.c.project, tasks.c.task == table.c.task, tasks.c.text_hash == table.c.text_hash)
    return sa.exists().where(*here)


def label_names(connection: sa.Connection, project: int) -> frozenset[str] | None:
    """The labels that the project has now; None where its label config is not supported or it is not known."""
    space = connection.execute(sa.select(projects.c.space).where(projects.c.project == project)).scalar_one_or_none()
    return None if space is None else frozenset(LabelSpace.from_json(space).names)


def meaning(connection: sa.Connection, project: int) -> Meaning:
    """What ticks mean in a project; as for one label where its label config is not supported or it is not known."""
    fields = projects.c.space["answer"].as_string(), projects.c.space["least"].as_integer()
    wanted = sa.select(*fields, projects.c.space["questions"].as_string()).where(projects.c.project == project)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return Meaning()
    questions = None
    if row[2] is not None:
        stored = connection.execute(sa.select(projects.c.space).where(projects.c.project == project)).scalar_one()
        questions = LabelSpace.from_json(stored)
    return Meaning(row[0] == "several", 1 if row[1] is None else int(row[1]), questions)


def known(labels: Iterable[str], names: Collection[str] | None) -> bool:
    """Whether a decision, or an answer, names only labels that there are; without `names` every one counts."""
    return names is None or all(label in names for label in labels)
