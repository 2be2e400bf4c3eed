"""Names of versions: what is built is recognised, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.pool.version_names import (
    is_committee,
    is_of_space,
    is_teacher,
    is_trained,
    is_version,
    kind_of,
    space_of,
    teacher_name,
    teacher_of,
    trained_name,
)

HASHES = st.text("0123456789abcdef", min_size=6, max_size=6)


@given(teacher=HASHES, space=HASHES, other=HASHES)
def test_a_teachers_name_tells_teacher_and_labels(teacher: str, space: str, other: str) -> None:
    name = teacher_name(teacher, space)
    assert (is_version(name), is_teacher(name), is_trained(name), is_committee(name)) == (True, True, False, False)
    assert (teacher_of(name), space_of(name)) == (teacher, space)
    assert is_of_space(name, other) == (other == space)


@given(kind=st.sampled_from(["head", "adapted", "finetune", "committee"]), number=st.integers(1, 10**9), space=HASHES)
def test_a_trained_name_tells_kind_and_labels(kind: str, number: int, space: str) -> None:
    name = trained_name(kind, number, space)
    assert (is_version(name), is_teacher(name), is_trained(name)) == (True, False, True)
    assert is_committee(name) == (kind == "committee")
    assert (space_of(name), is_of_space(name, space)) == (space, True)
    assert kind_of(name) == ("committee" if kind == "committee" else "student")
    assert name.startswith("committee-" if kind == "committee" else "student-")


@pytest.mark.parametrize(
    "text", ["", "My model", "student", "student-1", "student-x-abc123", "teacher-a-b", "gpt-4-abc123"]
)
def test_other_texts_are_no_versions(text: str) -> None:
    assert not is_version(text)


def test_no_version_and_no_labels_fit_nothing() -> None:
    assert not is_of_space(None, "abc123")
    assert not is_of_space("student-1-abc123", "")
    assert not is_of_space("student-1-", "")
