"""Which versions a project has, and which one it serves."""

from __future__ import annotations

from dataclasses import replace

from backend.errors import LabelingConfigError
from backend.pool import version_names
from backend.pool.projects import Project
from backend.projects.options import project_options, teacher_options
from backend.services import Services
from model.labels import LabelSpace


def chooser(project: Project) -> str:
    """The student that chooses: the promoted one, if it knows the present labels; else ""."""
    return project.served or "" if version_names.is_of_space(project.served, project.space_hash) else ""


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
    return version_names.teacher_name(teacher_hash(options, space), space.hash)


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
    if project.served and serve != "teacher" and version_names.is_of_space(project.served, space.hash):
        return project.served
    return teacher_version(services, project)
