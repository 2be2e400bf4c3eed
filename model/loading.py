"""Whatever a version folder holds, loaded: a student of any kind, or a committee of them."""

from __future__ import annotations

from pathlib import Path

from model.student.artifact import read_description
from model.student.loading import load_student
from model.student.student import Student


def load_version(folder: Path) -> Student:
    """The student or committee that `save` wrote. ArtifactError names file and field, or the missing package."""
    if read_description(folder)["kind"] == "committee":
        from model.committee.committee import Committee

        return Committee.load(folder)
    return load_student(folder)
