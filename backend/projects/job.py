"""One run of a job for one project: what it works with and how it reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cached_property

import structlog

from backend.errors import OtherLabelStudio, ProjectError, QueueError
from backend.label_studio.client import LabelStudio
from backend.pool import incidents, jobs, projects
from backend.pool.database.engine import read
from backend.pool.database.turn import expect_turn
from backend.pool.project_cache import read_project
from backend.pool.projects import Project
from backend.projects.claims import can_ask
from backend.projects.current import Current, current_of
from backend.projects.whereabouts import stated_project
from backend.services import Services

log = structlog.get_logger(__name__)

NO_KEY = "LABEL_STUDIO_URL or LABEL_STUDIO_API_KEY is not set"
STEP_SECONDS = 0.5  # how often a step is written at most


class Job:
    """One run of a job for one project: what it works with and how it reports."""

    def __init__(self, services: Services, kind: str, project: int) -> None:
        self.services = services
        self.kind = kind
        self.number = project
        self.lack = ""  # why there is no Label Studio to ask
        self._next_step = 0.0

    @property
    def project(self) -> Project:
        """The project as the pool has it now."""
        row = read_project(self.services.engine, self.number)
        if row is None:
            raise ProjectError(f"project {self.number} is not known here: connect it first")
        return row

    @cached_property
    def label_studio_id(self) -> int:
        """The project's number at its Label Studio."""
        return self.project.label_studio_id

    @property
    def current(self) -> Current:
        """The project now, with all that follows from its row."""
        return current_of(self.services, self.project)

    @property
    def paused(self) -> bool:
        """Whether somebody wants no training and no question to the teacher now."""
        return self.current.paused

    def step(self, text: str, progress: float | None = None) -> None:
        """Say what is being done, for people; `progress` in [0, 1]. Too frequent calls are dropped."""
        if time.monotonic() >= self._next_step:
            self._next_step = time.monotonic() + STEP_SECONDS
            jobs.step(self.services.engine, self.number, self.kind, text, progress)

    def step_when_due(self, found: Callable[[], tuple[str, float]]) -> None:
        """As `step`, for what takes time to find out: asked for only when it is written."""
        if time.monotonic() >= self._next_step:
            self.step(*found())

    def note(self, what: str) -> None:
        """Tell people what went wrong, also when all is well again."""
        incidents.note(self.services.engine, self.number, self.kind, what)

    def expect_turn(self) -> None:
        """Asked before anything is changed outside of the pool, which looks by itself: TurnLost once another process
        has taken over this job."""
        with read(self.services.engine) as connection:
            expect_turn(connection)

    def about(self, version: str) -> None:
        """From now on the log lines of this run name this version."""
        structlog.contextvars.bind_contextvars(version=version)

    def ask(self, kind: str) -> None:
        """Ask for another job of this project, or for this one once more. Kept in the pool while Redis is away."""
        if kind == self.kind:
            jobs.ask_again(self.services.engine, self.number, kind)
            return
        self.expect_turn()
        with suppress(QueueError):
            self.services.queue.enqueue(kind, self.number)

    def ask_once(self, kind: str) -> None:
        """Ask for another job of this project, unless it waits or runs. Kept in the pool while Redis is away."""
        self.expect_turn()
        try:
            self.services.queue.ensure(kind, self.number)
        except QueueError:
            self.ask(kind)

    def ask_later(self, seconds: float) -> None:
        """Ask for this job once more after a while; whoever asks for it meanwhile pulls it forward."""
        due_ms = self.services.clock() + round(seconds * 1000)
        jobs.ask_again(self.services.engine, self.number, self.kind, due_ms)

    @property
    def has_key(self) -> bool:
        """Whether Label Studio's address and a key are set."""
        return can_ask(self.services.settings)

    def label_studio(self) -> LabelStudio | None:
        """Label Studio, or None, with the reason in `lack`: no address or key is set, or it is not the project's."""
        settings, project, self.lack = self.services.settings, self.project, ""
        if not self.has_key:
            self.lack = NO_KEY
            return None
        key = settings.LABEL_STUDIO_API_KEY.get_secret_value()
        with ExitStack() as closing:
            found = closing.enter_context(LabelStudio(settings.LABEL_STUDIO_URL, key))
            try:
                stated_project(found, project)
            except OtherLabelStudio as error:
                self.lack = str(error)
                log.warning("nothing is asked of Label Studio", reason=self.lack)
            else:
                closing.pop_all()
        if project.elsewhere != bool(self.lack):
            projects.set_elsewhere(self.services.engine, self.number, bool(self.lack))
        found.http.before_write = self.expect_turn
        return None if self.lack else found
