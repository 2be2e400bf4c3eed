"""A project's options: the settings, overridden by what its connection said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import SettingsError
from backend.label_studio.control import Control
from backend.label_studio.label_config import read_labeling_config
from backend.pool import ledger
from backend.pool.projects import Project
from backend.project_options import ProjectOptions
from backend.projects.prompt_template import prompt_template
from backend.services import Services
from backend.settings import Settings

if TYPE_CHECKING:
    from model.teacher.choice import TeacherOptions


def project_options(settings: Settings, project: Project) -> ProjectOptions:
    """The project's options: the settings, overridden by what its connection's `extra_params` said."""
    return settings.for_project(project.options)


def hold_budget(services: Services, project: Project) -> None:
    """Let the ledger know BUDGET_USD as it is now: before anything is paid, because settings change unheard."""
    budget = project_options(services.settings, project).BUDGET_USD
    ledger.set_cap(services.engine, project.project, round(budget * 1_000_000))


def paused(services: Services, project: Project) -> bool:
    """Whether no training starts and no teacher is asked: by `shortlist pause`, or by the setting PAUSED."""
    try:
        return project.paused or project_options(services.settings, project).PAUSED
    except SettingsError:
        return project.paused


def teacher_options(settings: Settings, options: ProjectOptions, project: Project) -> TeacherOptions:
    """What is needed to make the project's teacher. SettingsError if PROMPT_FILE cannot be used."""
    from model.teacher.choice import TeacherOptions

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
        instructions=project.instructions if options.INSTRUCTIONS == "project" else "",
        template=prompt_template(settings.PROMPT_FILE, project.project),
        examples=options.EXAMPLES,
        example_count=options.EXAMPLE_COUNT,
        examples_written=options.EXAMPLES_WRITTEN,
        labels_shown=options.LABELS_SHOWN,
        per_call=options.TEXTS_PER_CALL,
        votes=options.TEACHER_VOTES,
        remarked=options.MODE == "committee" and options.VOTES_IN_PROMPT,
    )


def control_of(services: Services, project: Project) -> Control:
    """The control that the project's tasks are answered for; LabelingConfigError if the label config has none."""
    return read_labeling_config(project.label_config, project_options(services.settings, project).CONTROL)
