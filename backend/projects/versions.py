"""Which versions a project has, and which one it serves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import LabelingConfigError
from backend.pool import standing, version_names
from backend.pool.projects import Project
from model.labels import LabelSpace

if TYPE_CHECKING:
    from model.teacher.choice import TeacherOptions


def label_space(project: Project) -> LabelSpace:
    """The project's label space; LabelingConfigError with the stored sentence if its label config is not supported."""
    if project.space is None:
        raise LabelingConfigError(project.problem or f"project {project.project} has no label config yet")
    return project.space


def chooser(project: Project) -> str:
    """The student that chooses: the promoted one, if it knows the present labels; else ""."""
    return standing.of_labels(project.served, project.space_hash)


def served_student(project: Project, space: LabelSpace, serve: str) -> str:
    """The promoted student, if it is served: it knows these labels, and SERVE is not `teacher`; else ""."""
    return "" if serve == "teacher" else standing.of_labels(project.served, space.hash)


def teacher_version(teacher: TeacherOptions, space: LabelSpace) -> str:
    """`teacher-<teacher's hash>-<label space's hash>`; loads no model."""
    from model.teacher.choice import teacher_hash

    return version_names.teacher_name(teacher_hash(teacher, space), space.hash)


def teacher_core(teacher: TeacherOptions, space: LabelSpace) -> str:
    """The hash that the teacher would have without its instructions."""
    from model.teacher.choice import teacher_hash

    return teacher_hash(replace(teacher, instructions=""), space)
