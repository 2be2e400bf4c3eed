"""Small things that the tests of the pool put into it."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool import (
    acquisition,
    annotations,
    batches,
    candidates,
    certified,
    classifiers,
    comparisons,
    doubts,
    incidents,
    jobs,
    ledger,
    predictions,
    projects,
    promises,
    publishing,
    queries,
    relevances,
    rulings,
    shortlists,
    tallies,
    tasks,
    teachers,
    text,
    versions,
)
from backend.pool.annotation import Annotation
from backend.pool.completions import lacks_nothing
from backend.pool.database import tables
from model.labels import CandidateSet, LabelSpace
from model.teacher.base import Answer, State, Usage

SPACE = LabelSpace.of(["billing", "refund", "shipping"], scope="label/Choices/text")
TEACHER = "teacher-0a1b2c-3d4e5f"
STUDENT = "student-1-3d4e5f"
PROJECT = 7


def add_project(engine: sa.Engine, project: int = PROJECT, created: str = "1763700000", title: str = "tickets") -> None:
    """A project with a supported label config."""
    projects.save_config(engine, project, created, title, "<View/>", SPACE, "", {})


def the_project(engine: sa.Engine, project: int = PROJECT) -> projects.Project:
    """The project, which must be there."""
    found = projects.get(engine, project)
    assert found is not None
    return found


def answered(*labels: str, raw: str = "", usage: Usage | None = None) -> Answer:
    """An answer with candidates; each is half as likely as the one before it."""
    confidences = tuple(round(0.6 / (2**place), 3) for place in range(len(labels)))
    return Answer(State.ANSWERED, CandidateSet(labels, confidences), raw, usage or Usage())


def abstained() -> Answer:
    """An answer without candidates."""
    return Answer(State.ABSTAINED, None, "none of these")


def unparsed() -> Answer:
    """An answer that could not be understood."""
    return Answer(State.UNPARSED, None, "Paris")


def labelled(annotation: int, task: int, *labels: str, annotator: int | None = 1, at: int = 1) -> Annotation:
    """One annotation; `at` is a second of its `updated_at`."""
    return Annotation(annotation, task, annotator, labels, "labelled", False, moment(at))


def doubted(task: int, label: str, said: str) -> doubts.Doubt:
    """A doubt about the task that `fill` makes, and others with its text."""
    key = text.text_hash("where is my parcel")
    return doubts.Doubt(task, key, (label,), (said,), "others", 0.1)


def moment(second: int) -> str:
    """A time as Label Studio writes it."""
    return f"2026-11-21T05:43:{second:02d}.000000Z"


def fill(engine: sa.Engine) -> None:
    """Put a row into every table of the project."""
    batches.begin(engine, PROJECT, TEACHER, {"t1": (1, "x")}, 5, 0, "mark", "openai")
    tasks.add(engine, PROJECT, {1: "where is my parcel"})
    tasks.add_textless(engine, PROJECT, [2])
    queries.save(engine, PROJECT, {1: "17"})
    candidates.save(engine, PROJECT, TEACHER, [(1, text.text_hash("where is my parcel"), answered("shipping"))])
    annotations.save(engine, PROJECT, [labelled(1, 1, "shipping")])
    versions.add(engine, PROJECT, STUDENT, 1, SPACE.hash, {}, 1)
    predictions.save(engine, PROJECT, STUDENT, [(1, "", "shipping", 0.9)])
    publishing.confirm(engine, PROJECT, STUDENT, publishing.intend(engine, PROJECT, STUDENT, [1]))
    shortlists.save(engine, PROJECT, STUDENT, {1: CandidateSet(("shipping", "refund"))})
    relevances.save(engine, PROJECT, STUDENT, {1: 0.5})
    rulings.save(engine, PROJECT, STUDENT, {1: "committee"})
    classifiers.save(engine, PROJECT, classifiers.ClassifierRow("hub/name", SPACE.hash, {}, False, "names", ""))
    acquisition.save(engine, PROJECT, STUDENT, {1: 0.5})
    acquisition.line_up(engine, PROJECT, "teacher", STUDENT, [1])
    acquisition.ask_people(engine, PROJECT, STUDENT, {1: 0.5})
    promises.begin(engine, promises.Promise(PROJECT, 1, SPACE.hash, 0.05, 0.95, "auditing", 0.0, 0.5, (1,)), [1])
    certified.replace_all(engine, PROJECT, [certified.Row(1, "chosen", "", -1.0)])
    doubts.renew(engine, PROJECT, [doubted(1, "shipping", "refund")])
    teachers.remember(engine, PROJECT, TEACHER, "0a1b2c", "similarity", "all")
    jobs.queued(engine, PROJECT, "train")
    incidents.note(engine, PROJECT, "train", "killed")
    comparisons.done(engine, PROJECT, 1, True)
    lacks_nothing(engine, PROJECT, "candidates/x", tallies.of_project(engine, PROJECT), ("tasks",), lambda: False)
    ledger.settle(engine, PROJECT, TEACHER, None, Usage(calls=1))
    ledger.reserve(engine, PROJECT, TEACHER, 0)
    with engine.begin() as connection:
        space = {"project": PROJECT, "space_hash": SPACE.hash, "space": SPACE.to_json(), "created_ms": 1}
        connection.execute(sa.insert(tables.label_spaces), space)
