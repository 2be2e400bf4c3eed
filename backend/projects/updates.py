"""What Label Studio tells about a project: remembered in the pool, written only when it is new."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from backend.errors import LabelingConfigError, SettingsError
from backend.label_studio.control import Control
from backend.label_studio.instructions import instructions_of
from backend.label_studio.label_config import read_project_config
from backend.label_studio.plain_text import storable
from backend.label_studio.task_text import task_query
from backend.pool import projects, queries, tasks
from backend.pool.project_cache import find_project
from backend.pool.projects import Project
from backend.project_options import ProjectOptions
from backend.projects import triggers
from backend.projects.allowed_models import refuse_foreign
from backend.projects.current import Current, current_of
from backend.projects.options import project_options, with_questions
from backend.projects.triggers import Later, at_once, start
from backend.services import Services
from model.labels import LabelSpace

log = structlog.get_logger(__name__)

ADDRESS = re.compile(r"https?://[^\s<>]{1,200}")
NO_VOTES = (
    "a committee votes for one label, but here an answer has several; set MODE=student, or ANSWER=one if ticks are a "
    "shortlist of one right label, or CONTROL to the one question that it is to answer"
)
KEEP: Any = object()  # extra_params were not part of the message


def remember(
    services: Services,
    label_studio_id: int,
    created: str,
    label_config: str,
    *,
    extra_params: object = KEEP,
    title: str = "",
    instance: object = "",
    later: Later = at_once,
) -> Project:
    """The project as the pool has it after this message. Writes only on a change; a changed label space starts jobs,
    which `later` is given: where Redis is away, whoever asks must not wait for it.

    The project's number here may be another one than Label Studio's (see pool/identity.py). Raises SettingsError for
    malformed extra_params, before anything is written, and ProjectError where several projects could be meant.
    """
    place = _address(instance)
    known = find_project(services.engine, label_studio_id, created)
    stands = known is not None and not _readable_by_now(services, known)
    if known is not None and stands and _same(known, created, label_config, extra_params, title, place):
        return known
    options = _raw_options(services, known, extra_params)
    label_config = storable(label_config)
    chosen = with_questions(services.settings, options, _kept(known, label_config))
    if known is not None and stands and _same(known, created, label_config, options, title, place):
        return known
    space, problem = _space(label_config, chosen, known is not None and known.former)
    changed = projects.save_config(
        services.engine,
        label_studio_id,
        created or (known.created if known else ""),
        storable(title) or (known.title if known else ""),
        label_config,
        space,
        problem,
        options,
        place,
    )
    saved = find_project(services.engine, label_studio_id, created)
    assert saved is not None, "a project that was just saved is there"
    current_of(services, saved).hold_budget()
    if space is not None and (changed or (known is not None and known.options != options)):
        later("label config", lambda: _start_work(services, saved.project))
    return saved


def _kept(known: Project | None, label_config: str) -> str:
    """The question that a project of an older release keeps, while its label config stays."""
    return known.questions if known is not None and known.label_config == label_config else ""


def _start_work(services: Services, number: int) -> None:
    start(lambda: triggers.on_label_config(services, number), number)


def _address(stated: object) -> str:
    """The address that a Label Studio gives itself, as people may read it; nothing is ever sent there."""
    text = storable(stated).rstrip("/") if isinstance(stated, str) else ""
    return text if ADDRESS.fullmatch(text) else ""


def _same(known: Project, created: str, label_config: str, options: object, title: str, place: str) -> bool:
    """Whether a message says what is known, `options` as an object; what was stored was checked."""
    same_project = created in ("", known.created) and title in ("", known.title) and place in ("", known.instance)
    same_options = options is KEEP or known.options == ({} if options is None else options)
    return same_project and same_options and known.label_config == label_config


def _readable_by_now(services: Services, known: Project) -> bool:
    """Whether a label config that was refused, perhaps by an older release, is read now."""
    if known.space is not None:
        return False
    try:
        return _space(known.label_config, project_options(services.settings, known), known.former)[0] is not None
    except SettingsError:
        return False  # the options are what is refused


def _raw_options(services: Services, known: Project | None, extra_params: object) -> dict[str, Any]:
    """The overrides as an object, checked."""
    if extra_params is KEEP:
        return dict(known.options) if known is not None else {}
    refuse_foreign(services.settings, services.settings.for_project(extra_params))
    if isinstance(extra_params, str):
        extra_params = json.loads(extra_params) if extra_params.strip() else {}
    return dict(extra_params) if isinstance(extra_params, Mapping) else {}


def _space(label_config: str, options: ProjectOptions, former: bool) -> tuple[LabelSpace | None, str]:
    try:
        space = read_project_config(label_config, options, former).space
        return (None, NO_VOTES) if space.several and options.MODE == "committee" else (space, "")
    except LabelingConfigError as error:
        return None, str(error)


def remember_instructions(current: Current, stated: Mapping[str, Any]) -> Project:
    """Write them to the pool if they are new; the project as it is then."""
    told = instructions_of(stated)
    if told == current.project.instructions:
        return current.project
    projects.set_instructions(current.engine, current.number, told)
    return replace(current.project, instructions=told)


def remember_tasks(services: Services, project: int, texts: Mapping[int, str], unanswered: bool = True) -> None:
    """Write what is new or edited to the pool, and have the teacher asked for it, and for what is `unanswered`.

    Tasks whose text is "" are only counted.
    """
    if take_texts(services, project, texts) or (unanswered and any(texts.values())):
        start(lambda: triggers.on_new_tasks(services, project), project)


def take_texts(services: Services, project: int, texts: Mapping[int, str]) -> int:
    """Write texts by task to the pool where they are new or edited; "" for tasks in which there is nothing to read.

    The number of tasks with a new text.
    """
    known = tasks.texts(services.engine, project, list(texts))
    fresh = {task: text for task, text in texts.items() if text and known.get(task) != text}
    tasks.add(services.engine, project, fresh)
    tasks.add_textless(services.engine, project, [task for task, text in texts.items() if not text])
    return len(fresh)


def take_queries(services: Services, control: Control, project: int, given: Mapping[int, Mapping[str, Any]]) -> None:
    """Write what these tasks (task: data) share with others to the pool, where that is a field that no text shows."""
    if control.pair is not None and control.pair.group:
        queries.save(services.engine, project, {task: task_query(control, data) for task, data in given.items()})
