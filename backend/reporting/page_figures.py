"""What a page or a report shows beside the status: confusions, the learning curve, what comes next, what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from backend.errors import ShortlistError
from backend.label_studio.links import MOST_TASKS
from backend.pool import figures, tallies, versions
from backend.pool.figures import size_counts
from backend.pool.projects import Project
from backend.pool.votes import disputed
from backend.projects.current import Current
from backend.reporting.charts import Point, learning_curve, set_sizes, stopping_curve
from backend.reporting.confusions import Confusions, confusions
from backend.reporting.kept import kept
from backend.reporting.set_quality import as_confusions, student_sets, teacher_sets
from backend.reporting.spending import mean_price
from backend.training.stopping import ENOUGH, STABLE
from model.evaluation import Rate, rate
from model.teacher.similarity import NAME as OFFLINE_TITLE


@dataclass(frozen=True)
class Insight:
    """Figures of one project for people. `sizes` are pairs (labels in the set, tasks)."""

    student: Confusions
    teacher: Confusions
    curve: tuple[Point, ...]
    sizes: tuple[tuple[int, int], ...]
    served: Rate | None  # the served student alone
    next_run_usd: float | None  # None: nothing was paid yet, so nothing is known
    disputed: tuple[int, ...] = ()  # tasks that people decided differently, the first that one link shows


def insight(current: Current) -> Insight:
    """Everything that is read from the pool; no model is loaded and nobody is asked."""
    now = tallies.of_project(current.engine, current.number)
    found = kept(current, ("insight", _teacher(current)), lambda: _insight(current), now)
    return replace(found, next_run_usd=mean_price(current, now))


def _insight(current: Current) -> Insight:
    """Everything but the price, which hangs on the ledger too."""
    engine, number = current.engine, current.number
    names = current.project.space.names if current.project.space else ()
    version = _teacher(current)
    checked = figures.students(engine, number)
    served = checked.get(current.project.served or "")
    return Insight(
        *_against_people(current, version, names),
        tuple(_curve(engine, current.project, checked)),
        size_counts(engine, number, version) if version else (),
        rate(served.top1, served.tasks) if served else None,
        None,
        disputed(engine, number, MOST_TASKS),
    )


def _against_people(current: Current, version: str | None, names: tuple[str, ...]) -> tuple[Confusions, Confusions]:
    """Student and teacher."""
    engine, number = current.engine, current.number
    if current.project.space is not None and current.project.space.several:
        found = student_sets(current), teacher_sets(current, version)[0]
        return as_confusions(found[0], names), as_confusions(found[1], names)
    student = confusions(figures.of_students(engine, number), names)
    return student, confusions(figures.of_teacher(engine, number, version) if version else [], names)


def drawn(status: dict[str, Any], found: Insight, nonce: str = "") -> dict[str, str]:
    """The charts of page and report as SVG, by name; "" where there is too little to draw."""
    people = status["stopping"]["people"]
    judged = [point for point in people["curve"] if point["changed"] is not None and point["compared"] >= ENOUGH]
    changes = [(point["known"], point["changed"]) for point in judged]
    return {
        "curve": learning_curve(found.curve, nonce, people["stopped_at"]),
        "changes": stopping_curve(changes, STABLE, nonce, people["stopped_at"]),
        "sizes": set_sizes(found.sizes, nonce),
    }


def next_run(status: dict[str, Any], found: Insight) -> str:
    """One sentence: what the teacher's next run would cost."""
    missing = status["teacher"]["waiting"]
    if status["teacher"]["name"] == OFFLINE_TITLE:
        state = f"{missing} tasks have no shortlist yet" if missing else "every task was looked at"
        return f"{state}; the offline teacher costs nothing"
    if not missing:
        failed = status["asked"]["refused"] + status["asked"]["unreadable"]
        if failed:
            return f"every task was asked about, but {failed} brought no answer: Ask again repeats them, at their price"
        return "the teacher has answered all that it is asked about: there is nothing to pay for"
    if found.next_run_usd is None:
        return f"{missing} tasks wait for the teacher; `shortlist estimate {status['project']}` tells the price first"
    price = f"about ${missing * found.next_run_usd:,.4f} at the mean price of a task so far"
    return f"{missing} tasks wait for the teacher: {price}; `shortlist estimate {status['project']}` tells more"


def _teacher(current: Current) -> str | None:
    try:
        return current.teacher_version
    except ShortlistError:
        return None


def _curve(engine: sa.Engine, project: Project, checked: dict[str, figures.Checked]) -> list[Point]:
    """Versions of the present labels only: accuracy on other labels is another figure."""
    points = []
    for row in versions.list_versions(engine, project.project):
        found = checked.get(row.version) if row.space_hash == project.space_hash else None
        share = rate(found.top1, found.tasks) if found else None
        if share is not None:
            points.append(Point(row.human_labels, share.value, share.low, share.high, row.version))
    return points
