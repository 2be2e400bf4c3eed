"""A report about one project: one HTML file that opens offline, for whoever must decide whether to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from backend.label_studio.links import tasks_link
from backend.pool import figures, tasks
from backend.pool.figures import Pair
from backend.pool.tasks import text_lengths
from backend.projects.current import Current
from backend.projects.whereabouts import address
from backend.reporting.limits import limits
from backend.reporting.page_figures import Insight, drawn, insight, next_run
from backend.reporting.status import iso, project_status
from backend.reporting.wording import FILTERS, asked_words, left_out_words, phase_words, what_next

MOST_EXAMPLES = 20
LONGEST_EXAMPLE = 300  # characters


@dataclass(frozen=True)
class Example:
    """A task where people decided otherwise than was predicted."""

    task: int
    text: str
    person: str
    predicted: str
    who: str


def report_html(current: Current) -> str:
    """The whole page; nothing in it is loaded from elsewhere, except where a person follows a link."""
    status, found = project_status(current), insight(current)
    content = _facts(current, status, found)
    loader = PackageLoader("backend.web", "pages/templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    style = (resources.files("backend.web") / "pages" / "static" / "style.css").read_text(encoding="utf-8")
    return environment.get_template("report.html").render(style=style, **FILTERS, **content)


def _facts(current: Current, status: dict[str, Any], found: Insight) -> dict[str, Any]:
    place = address(current.settings, current.project)

    def link(ids: tuple[int, ...], title: str) -> str:
        return tasks_link(place, current.project.label_studio_id, ids, title)

    return {
        "status": status,
        "found": found,
        "labels": current.project.space.labels if current.project.space else (),
        "lengths": text_lengths(current.engine, current.number),
        "phase": phase_words(status),
        "asked": asked_words(status["asked"]),
        "next_steps": what_next(status),
        "left_out": left_out_words(status["left_out"]),
        "next_run": next_run(status, found),
        "limits": limits(status, found),
        **drawn(status, found),
        "examples": _examples(current),
        "tasks_link": link,
        "made": _utc(current.services.clock()),
        "utc": _utc,
    }


def _utc(milliseconds: int) -> str:
    return iso(milliseconds).replace("T", " ").replace("Z", " UTC")


def _examples(current: Current) -> list[Example]:
    """Mistakes of the student, where it was shown, else of the teacher's first candidate; none where several labels may
    be right, of which parts are."""
    engine, number = current.engine, current.number
    if current.project.space is not None and current.project.space.several:
        return []
    wrong = _wrong(figures.of_students(engine, number))
    who = "student"
    if not wrong and current.project.space is not None:
        wrong, who = _wrong(figures.of_teacher(engine, number, current.teacher_version)), "teacher"
    texts = tasks.texts(engine, number, [pair.task for pair in wrong])
    return [
        Example(pair.task, texts[pair.task][:LONGEST_EXAMPLE], pair.label, pair.predicted[0], who)
        for pair in wrong
        if pair.task in texts
    ]


def _wrong(found: list[Pair]) -> list[Pair]:
    """The newest mistakes, at most MOST_EXAMPLES."""
    return [pair for pair in found if pair.label != pair.predicted[0]][-MOST_EXAMPLES:]
