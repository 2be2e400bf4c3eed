"""Webhook events: every action of Label Studio, in both spellings, handled or knowingly ignored.

Events are hints that may be lost, doubled or reordered. Handling one twice changes nothing, and the train job's
reconcile with Label Studio's API gives the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from backend.errors import ShortlistError
from backend.label_studio.annotations import read_annotation
from backend.label_studio.control import Control
from backend.label_studio.fields import created_of, identifier
from backend.label_studio.task_text import task_text
from backend.pool import annotations as people
from backend.pool import projects
from backend.pool.projects import Project
from backend.projects import triggers
from backend.projects.current import current_of
from backend.projects.on_screen import remember_on_screen
from backend.projects.triggers import start
from backend.projects.updates import remember, remember_tasks
from backend.services import Services

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]


def handle(services: Services, body: Body) -> None:
    """Act on one event."""
    act = ACTIONS.get(known(body))
    try:
        project = _project(services, body) if act else None
    except ShortlistError as error:  # whose it is cannot be told: a later reconcile reads what was missed
        log.warning("event not used", action=known(body), reason=str(error))
        return
    if act is None or project is None:
        log.info("event ignored", action=str(body.get("action"))[:40])
        return
    try:
        act(services, project, body)
    except ShortlistError as error:  # the label config is not usable; a later reconcile reads what was missed
        log.warning("event not used", action=known(body), project=project.project, reason=str(error))


def known(body: Body) -> str:
    """The event's action if it is one that is acted on, else "ignored"."""
    action = body.get("action")
    return action if isinstance(action, str) and action in ACTIONS else "ignored"


def size(body: Body) -> int:
    """How many objects an event is about: large ones are worked through after the answer."""
    return max((len(value) for value in body.values() if isinstance(value, list)), default=1)


def _project(services: Services, body: Body) -> Project | None:
    """The project as the pool has it; one that is new here is read from the event itself."""
    stated = body.get("project")
    number = identifier(stated.get("id") if isinstance(stated, Mapping) else stated)
    created = created_of(stated) if isinstance(stated, Mapping) else ""
    known = projects.find(services.engine, number, created) if number is not None else None
    if known is not None or number is None or not isinstance(stated, Mapping):
        return known
    return _updated(services, number, stated)


def _updated(services: Services, number: int, stated: Body) -> Project | None:
    label_config = stated.get("label_config")
    if not isinstance(label_config, str):
        return None
    title = stated.get("title")
    kept = title if isinstance(title, str) else ""
    return remember(services, number, created_of(stated), label_config, title=kept)


def _annotated(services: Services, project: Project, body: Body) -> None:
    control = current_of(services, project).control
    given = {task: data for task, data in _tasks(body) if data is not None}
    rows = list(_rows(control, body))
    texts = {task: task_text(control, data) for task, data in given.items()}
    remember_tasks(services, project.project, texts, unanswered=False)
    if rows and people.save(services.engine, project.project, rows):
        start(lambda: triggers.on_human_labels(services, project.project), project.project)


def _rows(control: Control, body: Body) -> Iterator[people.Annotation]:
    """The event's annotations; one object, or a list under the same singular name."""
    only_task = next(iter(_tasks(body)), (None, None))[0]
    for annotation in _objects(body, "annotation", "annotations"):
        task = identifier(annotation.get("task")) or only_task
        if task is None or identifier(annotation.get("id")) is None:
            log.warning("annotation without id or task", keys=sorted(map(str, annotation))[:20])
            continue
        yield read_annotation(control, annotation, task)


def _unannotated(services: Services, project: Project, body: Body) -> None:
    gone = _ids(body, "annotations", "annotation")
    now = datetime.fromtimestamp(services.clock() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if gone and people.delete(services.engine, project.project, gone, now):
        start(lambda: triggers.on_human_labels(services, project.project), project.project)


def _tasks_created(services: Services, project: Project, body: Body) -> None:
    control = current_of(services, project).control
    texts = {task: task_text(control, data) for task, data in _tasks(body) if data is not None}
    if texts:
        remember_tasks(services, project.project, texts)


def _tasks_deleted(services: Services, project: Project, body: Body) -> None:
    gone = _ids(body, "tasks", "task")
    if gone:
        start(lambda: triggers.on_tasks_deleted(services, project.project, gone), project.project)


def _project_updated(services: Services, project: Project, body: Body) -> None:
    stated = body.get("project")
    if isinstance(stated, Mapping) and (saved := _updated(services, project.label_studio_id, stated)) is not None:
        remember_on_screen(current_of(services, saved), stated)


def _start_training(services: Services, project: Project, body: Body) -> None:
    start(lambda: triggers.on_start_training(services, project.project), project.project)


def _tasks(body: Body) -> Iterator[tuple[int, Body | None]]:
    for task in _objects(body, "task", "tasks"):
        number, data = identifier(task.get("id")), task.get("data")
        if number is not None:
            yield number, data if isinstance(data, Mapping) else None


def _ids(body: Body, *keys: str) -> Sequence[int]:
    found = (identifier(one.get("id")) for one in _objects(body, *keys))
    return [number for number in found if number is not None]


def _objects(body: Body, *keys: str) -> Iterator[Body]:
    for key in keys:
        value = body.get(key)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                yield one
            elif identifier(one) is not None:
                yield {"id": one}


Action = Callable[[Services, Project, Body], None]
ACTIONS: dict[str, Action] = {
    "ANNOTATION_CREATED": _annotated,
    "ANNOTATIONS_CREATED": _annotated,
    "ANNOTATION_UPDATED": _annotated,
    "ANNOTATIONS_UPDATED": _annotated,
    "ANNOTATION_DELETED": _unannotated,
    "ANNOTATIONS_DELETED": _unannotated,
    "TASK_CREATED": _tasks_created,
    "TASKS_CREATED": _tasks_created,
    "TASK_DELETED": _tasks_deleted,
    "TASKS_DELETED": _tasks_deleted,
    "PROJECT_UPDATED": _project_updated,
    "START_TRAINING": _start_training,
}
