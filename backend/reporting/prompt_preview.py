"""The exact question that an LLM is asked about one task, for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend.errors import ProjectError
from backend.pool import tasks
from backend.projects.current import Current
from backend.services import Services
from backend.teacher.project_teacher import examples_writer, llms_of, open_teacher

if TYPE_CHECKING:
    from model.arrays import Embed


def question_of(current: Current, embed: Embed, task: int | None = None) -> dict[str, Any]:
    """Teacher, task, and per LLM the request: system part, turns, JSON schema, most tokens of the answer.

    Without `task` the next one to be asked about, else the first one. Asks nobody. Raises ProjectError if there is no
    such task.
    """
    from backend.training.committee import remarks

    number, version = current.number, current.teacher_version
    if task is None:
        task, text = _next(current.services, number, version)
    else:
        found = tasks.texts(current.engine, number, [task])
        if task not in found:
            raise ProjectError(f"project {number} has no task {task} with a text")
        text = found[task]
    teacher = open_teacher(current, embed, remarks(current))
    requests = []
    for llm in llms_of(teacher):
        request = llm.composer.requests([text])[0] if llm.per_call == 1 else llm.composer.together([text])
        turns = [{"role": turn.role, "text": turn.text} for turn in request.turns]
        requests.append(
            {
                "llm": llm.name,
                "system": request.system,
                "turns": turns,
                "schema": request.schema,
                "max_tokens": request.max_tokens,
                "temperature": request.temperature,
            }
        )
    writer = examples_writer(current, embed)
    return {
        "project": number,
        "task": task,
        "teacher": teacher.name,
        "version": version,
        "examples_to_write": 0 if writer is None else writer.per_label,
        "requests": requests,
    }


def system_part(current: Current) -> str | None:
    """The part of an LLM's prompt that is the same for all tasks; None for the offline teacher. Loads no model."""
    from model.teacher.choice import is_similarity, prompt_of

    options = current.teacher_options
    return None if is_similarity(options) else prompt_of(options, current.space).system()


def _next(services: Services, number: int, version: str) -> tuple[int, str]:
    rows = list(tasks.without_candidates(services.engine, number, version, 1))
    if not rows:
        first = sorted(tasks.all_ids(services.engine, number))[:1]
        rows = list(tasks.texts(services.engine, number, first).items())
    if not rows:
        raise ProjectError(f"project {number} has no tasks yet")
    return rows[0]
