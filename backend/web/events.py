"""Webhook events: every action of Label Studio, in both spellings, handled or knowingly ignored.

Events are hints that may be lost, doubled, reordered, or sent by somebody else. What adds something counts at once.
What takes something away, or changes what is known, has Label Studio asked: the comparison that follows does what is
true of it. Handling an event twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from backend.errors import ShortlistError
from backend.label_studio.annotations import read_annotation
from backend.label_studio.control import Control
from backend.label_studio.fields import created_of, identifier, utc_text
from backend.label_studio.plain_text import storable
from backend.label_studio.task_text import task_text
from backend.pool import annotations as people
from backend.pool import projects, tasks
from backend.pool.projects import Project
from backend.projects import claims, triggers
from backend.projects.current import current_of
from backend.projects.on_screen import on_screen, remember_on_screen
from backend.projects.triggers import start
from backend.projects.updates import remember, remember_tasks, take_queries
from backend.services import Services

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]

SURELY = timedelta(seconds=10)  # what Label Studio changed so long before the end of a look was read by it


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
    return _first_told(services, number, stated)


def _first_told(services: Services, number: int, stated: Body) -> Project | None:
    label_config = stated.get("label_config")
    if not isinstance(label_config, str):
        return None
    title = stated.get("title")
    kept = title if isinstance(title, str) else ""
    return remember(services, number, created_of(stated), label_config, title=kept)


def _annotated(services: Services, project: Project, body: Body) -> None:
    control = current_of(services, project).control
    given = {task: data for task, data in _tasks(body) if data is not None}
    believed, doubted = _weighed(services, project, list(_rows(control, body)))
    _remember_new(services, project, control, given, unanswered=False)
    if believed:
        changed = people.save(services.engine, project.project, believed)
        trigger = triggers.on_human_labels if changed else triggers.on_annotations
        start(lambda: trigger(services, project.project), project.project)
    if doubted:
        claims.ask_back(services, project.project)


def _weighed(
    services: Services, project: Project, rows: Sequence[people.Annotation]
) -> tuple[list[people.Annotation], bool]:
    """The annotations that count at once, and whether Label Studio has to be asked about others.

    New ones count, unless they are from before the last comparison, which would have found them: they were deleted, or
    never there. Known ones that say something else wait; where nobody can be asked, those that name a label count.
    """
    asked, read_until = claims.can_ask(services.settings), _read_until(project)
    known = people.by_id(services.engine, project.project, [row.annotation for row in rows])
    believed, doubted = [], False
    for row in rows:
        before = known.get(row.annotation)
        late = asked and before is None and "" < row.updated_at < read_until
        if late or (before is not None and _changes(before, row) and (asked or row.state != "labelled")):
            doubted = True
        else:
            believed.append(row)
            known[row.annotation] = row if before is None else before
    return believed, doubted


def _changes(before: people.Annotation, row: people.Annotation) -> bool:
    """Whether an event would make a known annotation say something else. An older one would not."""
    if before.state == "deleted" or row.updated_at < before.updated_at:
        return False
    return _said(before) != _said(row)


def _said(row: people.Annotation) -> tuple[object, ...]:
    return row.task, row.annotator, row.labels, row.state, row.ground_truth


def _read_until(project: Project) -> str:
    """Until when everything at Label Studio was surely read, by its clock; "" if nothing was."""
    if not project.synced:
        return ""
    return utc_text((datetime.fromisoformat(project.synced) - SURELY).isoformat())


def _remember_new(
    services: Services, project: Project, control: Control, given: Mapping[int, Body], unanswered: bool = True
) -> None:
    """Texts and queries of tasks that are new. Another text for a known one is asked about, where that can be done."""
    texts = {task: task_text(control, data) for task, data in given.items()}
    if claims.can_ask(services.settings):
        known = tasks.texts(services.engine, project.project, list(texts))
        other = {task for task, text in known.items() if text != storable(texts[task])}
        texts = {task: text for task, text in texts.items() if task not in other}
        if other:
            claims.ask_back(services, project.project)
    if texts:
        take_queries(services, control, project.project, {task: given[task] for task in texts})
        remember_tasks(services, project.project, texts, unanswered)


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
    known = people.by_id(services.engine, project.project, _ids(body, "annotations", "annotation"))
    if any(row.state != "deleted" for row in known.values()):
        claims.ask_back(services, project.project)


def _tasks_created(services: Services, project: Project, body: Body) -> None:
    control = current_of(services, project).control
    given = {task: data for task, data in _tasks(body) if data is not None}
    _remember_new(services, project, control, given)


def _tasks_deleted(services: Services, project: Project, body: Body) -> None:
    gone = _ids(body, "tasks", "task")
    known = tasks.texts(services.engine, project.project, gone)
    if known or people.of_tasks(services.engine, project.project, gone):
        claims.ask_back(services, project.project, everything=True)


def _project_updated(services: Services, project: Project, body: Body) -> None:
    """Title and label config; without a key the title alone, because /setup tells of the label config in time."""
    stated = body.get("project")
    if not isinstance(stated, Mapping):
        return
    title, label_config = stated.get("title"), stated.get("label_config")
    other_title = isinstance(title, str) and title not in ("", project.title)
    other_config = isinstance(label_config, str) and label_config not in ("", project.label_config)
    if not claims.can_ask(services.settings):
        if other_title:
            project = remember(
                services, project.label_studio_id, project.created, project.label_config, title=str(title)
            )
        remember_on_screen(current_of(services, project), stated)
    elif other_title or other_config or ("model_version" in stated and on_screen(stated) != project.on_screen):
        claims.ask_back(services, project.project)


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
