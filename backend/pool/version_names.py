"""Names of versions: built, recognised and compared here, and nowhere else.

teacher-<hash of the teacher>-<hash of the label space>
student-<number>-<hash of the label space>
committee-<number>-<hash of the label space>
"""

from __future__ import annotations

import re

TEACHER, STUDENT, COMMITTEE = "teacher", "student", "committee"
TRAINED = (f"{STUDENT}-", f"{COMMITTEE}-")  # how versions begin that were trained; the others are a teacher's
NAME = re.compile(rf"({TEACHER}-[0-9a-z]+|({STUDENT}|{COMMITTEE})-[0-9]+)-[0-9a-f]{{6}}")


def teacher_name(teacher_hash: str, space_hash: str) -> str:
    """The version of a teacher's answers."""
    return f"{TEACHER}-{teacher_hash}-{space_hash}"


def trained_name(kind: str, number: int, space_hash: str) -> str:
    """The version of the training with this number; `kind` is the trained model's, and only committees differ."""
    return f"{COMMITTEE if kind == COMMITTEE else STUDENT}-{number}-{space_hash}"


def is_version(text: str) -> bool:
    """Whether a text is a version's name, as only we give them."""
    return NAME.fullmatch(text) is not None


def kind_of(version: str) -> str:
    """Who gives a version's answers: `teacher`, `student` or `committee`."""
    return version.partition("-")[0]


def is_teacher(version: str) -> bool:
    """Whether a version is a teacher's, which answers with candidate sets."""
    return version.startswith(f"{TEACHER}-")


def is_trained(version: str) -> bool:
    """Whether a version is a student or a committee of them, which answer with one label."""
    return version.startswith(TRAINED)


def is_committee(version: str) -> bool:
    """Whether a version is a committee's."""
    return version.startswith(f"{COMMITTEE}-")


def is_of_space(version: str | None, space_hash: str | None) -> bool:
    """Whether a version knows the labels with this hash."""
    return bool(version and space_hash) and space_of(version or "") == space_hash


def space_of(version: str) -> str:
    """The hash of the label space that a version knows."""
    return version.rsplit("-", 1)[-1]


def number_of(version: str) -> int | None:
    """The number of the training that made a version; None for what no training made."""
    number = version.split("-")[1] if is_trained(version) and NAME.fullmatch(version) else ""
    return int(number) if number else None


def teacher_of(version: str) -> str:
    """The hash of the teacher that gave a teacher's version."""
    return version.split("-")[1]
