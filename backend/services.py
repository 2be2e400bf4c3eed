"""What every part of the backend works with: settings, pool, queue, clock; and which versions a project has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from backend.errors import LabelingConfigError, PoolError, SettingsError
from backend.pool import ledger
from backend.pool.database.engine import now_ms, open_engine, upgrade
from backend.pool.projects import Project
from backend.projects.prompt_template import prompt_template
from backend.queue.job_queue import JobQueue
from backend.settings import ProjectOptions, Settings
from model.labels import LabelSpace

if TYPE_CHECKING:
    from backend.projects.current import Serving
    from model.teacher.choice import TeacherOptions


@dataclass(frozen=True)
class Services:
    """What touches the world, passed in everywhere. `clock` gives UTC in milliseconds."""

    settings: Settings
    engine: sa.Engine
    queue: JobQueue
    clock: Callable[[], int] = now_ms
    servings: dict[int, tuple[Project, Serving]] = field(default_factory=dict, compare=False, repr=False)  # a memory


def open_services(settings: Settings) -> Services:
    """Open the pool and bring its schema up to date; Redis is connected to when a job is first started.

    Raises PoolError if the database cannot be opened or is of a newer release.
    """
    engine = open_engine(settings.database_url)
    upgrade(engine)
    return Services(settings, engine, JobQueue(settings.REDIS_URL, engine))


def require_pool(settings: Settings) -> None:
    """PoolError where opening the pool would make an empty one: nobody asks about a pool that never was."""
    if not settings.DATABASE_URL and not (settings.DATA_DIR / "pool.sqlite").exists():
        raise PoolError(
            f"{settings.DATA_DIR.absolute()} holds no data of a Shortlist; set DATA_DIR to the folder of the one that "
            "you mean, or start it there (`shortlist start`)"
        )


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


def label_space(project: Project) -> LabelSpace:
    """The project's label space; LabelingConfigError with the stored sentence if its label config is not supported."""
    if project.space is None:
        raise LabelingConfigError(project.problem or f"project {project.project} has no label config yet")
    return project.space


def teacher_version(services: Services, project: Project) -> str:
    """`teacher-<teacher's hash>-<label space's hash>`; loads no model.

    Raises LabelingConfigError if the label config is not supported, SettingsError if an option is malformed.
    """
    from model.teacher.choice import teacher_hash

    space = label_space(project)
    options = teacher_options(services.settings, project_options(services.settings, project), project)
    return f"teacher-{teacher_hash(options, space)}-{space.hash}"


def teacher_core(services: Services, project: Project, space: LabelSpace | None = None) -> str:
    """The hash that the project's teacher would have without its instructions, for these or the present labels."""
    from model.teacher.choice import teacher_hash

    options = teacher_options(services.settings, project_options(services.settings, project), project)
    return teacher_hash(replace(options, instructions=""), space or label_space(project))


def served_version(services: Services, project: Project) -> str:
    """The one version string of the project: the promoted student's, else the teacher's.

    A student of another label space is not served, and none is where SERVE is `teacher`.
    """
    space = label_space(project)
    serve = project_options(services.settings, project).SERVE
    if project.served and serve != "teacher" and project.served.endswith(f"-{space.hash}"):
        return project.served
    return teacher_version(services, project)
