"""A project's options: the settings, overridden by what its connection said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backend.pool.projects import Project
from backend.project_options import ProjectOptions
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.label_studio.control import Control
    from model.teacher.choice import TeacherOptions


def project_options(settings: Settings, project: Project) -> ProjectOptions:
    """The settings, overridden by what the connection's `extra_params` said. SettingsError if one is malformed."""
    return with_questions(settings, project.options, project.questions)


def with_questions(settings: Settings, options: Mapping[str, Any], questions: str) -> ProjectOptions:
    """The same for these options; `questions` are those of the project where no option says which are answered."""
    found = settings.for_project(options)
    if not questions or found.QUESTIONS or found.CONTROL:
        return found
    return settings.for_project({**options, "QUESTIONS": questions})


def as_shown(options: ProjectOptions, ticks: str) -> ProjectOptions:
    """The options with what TICKS=auto chose to tick, which is nothing that a teacher is asked."""
    if options.TICKS != "auto" or not ticks:
        return options
    return options.model_copy(update={"PRESELECT": False} if ticks == "none" else {"MAX_CANDIDATES": 1})


def can_show(control: Control, ticks: str) -> bool:
    """Whether a label config can show that: without ticks labels have to be listed."""
    return ticks == "one" or control.candidates_area is not None


def teacher_options(
    settings: Settings, options: ProjectOptions, project: Project, template: str, told: str = ""
) -> TeacherOptions:
    """What is needed to make the project's teacher; `template` is the team's own prompt, "" for the built-in one,
    `told` what it is told of the texts before the project's instructions."""
    from model.teacher.choice import TeacherOptions

    instructions = project.instructions if options.INSTRUCTIONS == "project" else ""
    return TeacherOptions(
        teacher=options.TEACHER,
        prompt=options.PROMPT,
        max_candidates=options.MAX_CANDIDATES,
        openai_api_key=settings.OPENAI_API_KEY.get_secret_value(),
        openai_base_url=settings.OPENAI_BASE_URL,
        anthropic_base_url=settings.ANTHROPIC_BASE_URL,
        anthropic_api_key=settings.ANTHROPIC_API_KEY.get_secret_value(),
        price=settings.TEACHER_PRICE,
        encoder=options.STUDENT_ENCODER,
        instructions="\n".join(part for part in (told, instructions) if part),
        template=template,
        examples=options.EXAMPLES,
        example_count=options.EXAMPLE_COUNT,
        examples_written=options.EXAMPLES_WRITTEN,
        labels_shown=options.LABELS_SHOWN,
        per_call=options.TEXTS_PER_CALL,
        votes=options.TEACHER_VOTES,
        remarked=options.MODE == "committee" and options.VOTES_IN_PROMPT,
    )
