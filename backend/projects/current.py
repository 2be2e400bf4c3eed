"""A project as it is now: its row in the pool, and what row and settings say together, derived once per row.

Every request, job and page needs it, and passes it on in place of services and project.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from backend.errors import LabelingConfigError, SettingsError
from backend.label_studio.control import Control
from backend.label_studio.label_config import read_project_config
from backend.pool import ledger
from backend.pool.projects import Project
from backend.project_options import ProjectOptions
from backend.projects import options, versions
from backend.projects.prompt_template import prompt_template
from backend.services import Services
from backend.settings import Settings
from model.labels import LabelSpace
from model.pairs import Pair

if TYPE_CHECKING:
    from model.teacher.choice import TeacherOptions

VOLATILE = {
    "title",
    "published",
    "synced",
    "grouped",
    "changes",
    "trained_changes",
    "trained_sets",
    "changed_ms",
    "on_screen",
    "instance",
    "elsewhere",
}  # they shape no answer
BASIS = [field.name for field in fields(Project) if field.name not in VOLATILE]
MOST = 1_000  # projects that are remembered


@dataclass(frozen=True, eq=False)
class Facts:
    """Options, labels and versions of a project, each derived when it is first asked for.

    It is the same object as long as nothing that shapes an answer changed, so that it stands for all of that as the key
    of a cache. What cannot be derived raises each time it is asked for: LabelingConfigError if the label config is not
    supported, SettingsError if an option is malformed.
    """

    settings: Settings
    project: Project  # of its fields those that are VOLATILE may be out of date
    prompt: str | SettingsError  # the team's own prompt template, or why it cannot be used

    @cached_property
    def basis(self) -> tuple[Any, ...]:
        """All that the facts are derived from, apart from the settings."""
        return (*(getattr(self.project, name) for name in BASIS), str(self.prompt))

    @property
    def template(self) -> str:
        """The team's own prompt template, "" for the built-in one."""
        if isinstance(self.prompt, SettingsError):
            raise SettingsError(str(self.prompt))
        return self.prompt

    @cached_property
    def stated(self) -> ProjectOptions:
        """The settings, overridden by what the connection's `extra_params` said."""
        return options.project_options(self.settings, self.project)

    @cached_property
    def options(self) -> ProjectOptions:
        """What is stated, with what people's decisions have chosen where that is left to them."""
        return options.as_shown(self.stated, self.project.ticks)

    @cached_property
    def space(self) -> LabelSpace:
        """The labels."""
        return versions.label_space(self.project)

    @cached_property
    def control(self) -> Control:
        """The control that the project's tasks are answered for."""
        return read_project_config(self.project.label_config, self.options, self.project.former)

    @cached_property
    def pair(self) -> Pair | None:
        """Which two texts of a task are compared; None where there is one text, or the label config is not usable."""
        try:
            return self.control.pair
        except LabelingConfigError:
            return None

    @cached_property
    def teacher_options(self) -> TeacherOptions:
        """What is needed to make the teacher."""
        return options.teacher_options(self.settings, self.stated, self.project, self.template, self._told)

    @property
    def _told(self) -> str:
        """What an LLM is told of texts and form before the project's instructions, "" if the config is not usable."""
        if self.pair is None:
            return self._wording
        return "\n".join(part for part in (self.pair.sentence(), self._wording) if part)

    @property
    def _wording(self) -> str:
        if self.stated.INSTRUCTIONS != "project":
            return ""
        try:
            return self.control.wording
        except LabelingConfigError:
            return ""

    @cached_property
    def teacher_version(self) -> str:
        """The version of the teacher's answers; loads no model."""
        return versions.teacher_version(self.teacher_options, self.space)

    @cached_property
    def served_version(self) -> str:
        """The one version string of the project: the promoted student's, else the teacher's."""
        return versions.served_student(self.project, self.space, self.options.SERVE) or self.teacher_version


@dataclass(frozen=True, eq=False)
class Current:
    """One project at this moment, with the services that work for it."""

    services: Services
    project: Project
    facts: Facts

    @property
    def number(self) -> int:
        """The project's id."""
        return self.project.project

    @property
    def engine(self) -> sa.Engine:
        """The pool."""
        return self.services.engine

    @property
    def settings(self) -> Settings:
        """Those of the installation; `options` are the project's."""
        return self.services.settings

    @property
    def options(self) -> ProjectOptions:
        """See Facts, as for the following ones."""
        return self.facts.options

    @property
    def space(self) -> LabelSpace:
        """The labels."""
        return self.facts.space

    @property
    def control(self) -> Control:
        """The control that the tasks are answered for."""
        return self.facts.control

    @property
    def pair(self) -> Pair | None:
        """Which two texts of a task are compared."""
        return self.facts.pair

    @property
    def teacher_options(self) -> TeacherOptions:
        """What is needed to make the teacher."""
        return self.facts.teacher_options

    @property
    def teacher_version(self) -> str:
        """The version of the teacher's answers."""
        return self.facts.teacher_version

    @property
    def served_version(self) -> str:
        """The version that is served."""
        return self.facts.served_version

    @property
    def chooser(self) -> str:
        """The student that chooses tasks: the promoted one, if it knows the present labels; else ""."""
        return versions.chooser(self.project)

    @property
    def blind_share(self) -> float:
        """Tasks of lower rank are shown without an answer: BLIND_SHARE of all, or as many as an audit takes."""
        return max(self.options.BLIND_SHARE, self.project.blind_to)

    @property
    def paused(self) -> bool:
        """Whether no training starts and no teacher is asked: by `shortlist pause`, or by the setting PAUSED."""
        try:
            return self.project.paused or self.options.PAUSED
        except SettingsError:
            return self.project.paused

    def hold_budget(self) -> None:
        """Let the ledger know BUDGET_USD as it is now: before anything is paid, because settings change unheard."""
        ledger.set_cap(self.engine, self.number, round(self.options.BUDGET_USD * 1_000_000))

    def teacher_core(self, space: LabelSpace | None = None) -> str:
        """The hash that the teacher would have without its instructions, for these or the present labels."""
        return versions.teacher_core(self.teacher_options, space or self.space)


_known: weakref.WeakKeyDictionary[sa.Engine, dict[int, Current]] = weakref.WeakKeyDictionary()


def current_of(services: Services, project: Project) -> Current:
    """The project as this row has it; with the same facts as before while nothing that shapes an answer changed."""
    prompt: str | SettingsError
    try:
        prompt = prompt_template(services.settings.PROMPT_FILE, project.project)  # the file may change at any time
    except SettingsError as error:
        prompt = error
    known = _known.setdefault(services.engine, {})
    last = known.get(project.project)
    if last is not None and (last.services is not services or last.facts.settings is not services.settings):
        last = None
    if last is not None and last.project is project and str(last.facts.prompt) == str(prompt):
        return last
    facts = Facts(services.settings, project, prompt)
    if last is not None and last.facts.basis == facts.basis:
        facts = last.facts
    if len(known) >= MOST:
        known.clear()
    known[project.project] = found = Current(services, project, facts)
    return found
