"""What people do on the pages: every action is a form that is sent by POST and leads back to the project."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from backend.errors import ProjectError, QueueError, ShortlistError
from backend.pool import doubts, jobs
from backend.pool.projects import Project
from backend.projects import triggers
from backend.projects.actions import pause, resume, serve_version
from backend.projects.current import current_of
from backend.projects.finishing import Wish, ask_to_finish
from backend.projects.on_screen import follows
from backend.queue.kinds import KINDS, PAUSABLE
from backend.services import Services
from backend.teacher.asking_again import forget_failed
from backend.web.context import context, known_project
from backend.web.csrf import check_form

actions = Blueprint("actions", __name__)


@actions.post("/projects/<int:number>/<name>")
def act(number: int, name: str) -> Response:
    """Do one thing and go back to the page, with a sentence that says what happened."""
    services = context().services
    action = ACTIONS.get(name)
    if action is None:
        abort(404, f"there is no action {name!r}; actions are {', '.join(ACTIONS)}")
    check_form(services.settings)
    project = known_project(number)
    try:
        said, key = action(services, project), "done"
    except ShortlistError as error:
        said, key = str(error), "problem"
    page = url_for("people.one_project", number=number)
    return redirect(f"{page}?{key}={quote(said[:300])}", 303)


def _train(services: Services, project: Project) -> str:
    triggers.on_start_training(services, project.project)
    return "The training is queued"


def _retry(services: Services, project: Project) -> str:
    kind = _kind()
    if current_of(services, project).paused and kind in PAUSABLE:
        raise ProjectError(f"project {project.project} is paused: resume it first")
    if kind == "annotate" and _has_failed(services, project, kind):
        forget_failed(current_of(services, project))
    outcome = services.queue.enqueue(kind, project.project)
    said = {"queued": "is queued", "joined": "waits already", "again": "runs, and runs once more after that"}
    return f"The job {kind} {said[outcome]}"


def _has_failed(services: Services, project: Project, kind: str) -> bool:
    row = jobs.get(services.engine, project.project).get(kind)
    return row is not None and row.state == "failed"


def _ask_again(services: Services, project: Project) -> str:
    """Have the teacher asked about what it did not answer; this may cost money, within the budget."""
    current = current_of(services, project)
    if current.paused:
        raise ProjectError(f"project {project.project} is paused: resume it first")
    number = forget_failed(current)
    services.queue.enqueue("annotate", project.project)
    return f"The teacher is asked again about {number} {'task' if number == 1 else 'tasks'}"


def _cancel(services: Services, project: Project) -> str:
    """Take back a waiting job. A running one goes on: half a training or half a paid question helps nobody."""
    kind = _kind()
    if not services.queue.cancel(kind, project.project):
        raise QueueError(f"the job {kind} does not wait any more; pausing the project ends one that runs")
    jobs.finish(services.engine, project.project, kind, "taken back before it began")
    return f"The job {kind} was taken back"


def _serve(services: Services, project: Project) -> str:
    current = current_of(services, project)
    done = serve_version(current, request.form.get("version", ""))
    return f"{done.version} is served now; {follows(current)}"


def _pause(services: Services, project: Project) -> str:
    pause(services, project.project)
    return "The project is paused: nothing is trained, and the teacher is asked nothing"


def _resume(services: Services, project: Project) -> str:
    resume(services, project.project)
    return "The project goes on"


def _finish(services: Services, project: Project) -> str:
    wish: Wish = "undo" if request.form.get("undo") else "annotations"
    ask_to_finish(current_of(services, project), wish)
    return "What the promise wrote is being taken back" if wish == "undo" else "The pool is being finished"


def _confirm(services: Services, project: Project) -> str:
    task = request.form.get("task", "")
    if not task.isdecimal() or not doubts.confirm(services.engine, project.project, int(task)):
        raise ProjectError(f"no decision about task {task[:40]!r} waits for a second look")
    return f"The decision about task {task} is kept"


def _kind() -> str:
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        raise ProjectError(f"there is no job {kind[:40]!r}; jobs are {', '.join(KINDS)}")
    return kind


ACTIONS: dict[str, Callable[[Services, Project], str]] = {
    "train": _train,
    "retry": _retry,
    "ask-again": _ask_again,
    "cancel": _cancel,
    "serve": _serve,
    "pause": _pause,
    "resume": _resume,
    "finish": _finish,
    "confirm": _confirm,
}
