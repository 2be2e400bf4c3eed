from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool import versions
from tests.support.samples import PROJECT, STUDENT


def test_a_version_is_kept_as_it_was_told(engine: sa.Engine) -> None:
    metrics = {"held_out": 12, "held_out_accuracy": 0.75, "training": {"loss": None, "warnings": []}}
    versions.add(engine, PROJECT, STUDENT, 1, "3d4e5f", metrics, 40)
    found = versions.get(engine, PROJECT, STUDENT)
    assert found is not None
    assert (found.version, found.number, found.space_hash, found.state, found.reason) == (
        STUDENT, 1, "3d4e5f", "trained", "",
    )  # fmt: skip
    assert (found.metrics, found.human_labels, found.promoted_ms) == (metrics, 40, None)


def test_unknown_versions(engine: sa.Engine) -> None:
    assert versions.get(engine, PROJECT, STUDENT) is None
    assert versions.list_versions(engine, PROJECT) == []
    assert versions.next_number(engine, PROJECT) == 1


def test_a_version_is_never_replaced(engine: sa.Engine) -> None:
    versions.add(engine, PROJECT, STUDENT, 1, "3d4e5f", {"a": 1}, 40)
    with pytest.raises(PoolError, match=f"project 7 has a version '{STUDENT}' already"):
        versions.add(engine, PROJECT, STUDENT, 1, "3d4e5f", {"a": 2}, 50)
    versions.add(engine, 8, STUDENT, 1, "3d4e5f", {}, 0)
    assert [row.metrics for row in versions.list_versions(engine, PROJECT)] == [{"a": 1}]


def test_newest_first_and_the_next_number(engine: sa.Engine) -> None:
    for number in (9, 10, 2):
        versions.add(engine, PROJECT, f"student-{number}-x", number, "x", {}, 0)
    assert [row.number for row in versions.list_versions(engine, PROJECT)] == [10, 9, 2]
    assert versions.next_number(engine, PROJECT) == 11


def test_states(engine: sa.Engine) -> None:
    versions.add(engine, PROJECT, STUDENT, 1, "x", {}, 0)
    versions.set_state(engine, PROJECT, STUDENT, "rejected", "4 of 30 worse than the served version")
    found = versions.get(engine, PROJECT, STUDENT)
    assert found is not None
    assert (found.state, found.reason) == ("rejected", "4 of 30 worse than the served version")
    with pytest.raises(ValueError, match="cannot be 'famous'; allowed are trained"):
        versions.set_state(engine, PROJECT, STUDENT, "famous", "")
