"""Which of a project's ML backend connections are ours."""

from __future__ import annotations

import pytest

from backend.label_studio.connections import at_address, ours

HERE = "http://backend.example:9090"


@pytest.mark.parametrize("title", ["teacher-0a1b2c-abc123", "student-3-abc123", "committee-3-abc123"])
def test_a_connection_at_a_former_address_is_known_by_its_title(title: str) -> None:
    """A committee's, too: connecting again added a second one beside it."""
    former = {"id": 1, "url": "http://former.example:9090", "title": title}
    assert ours([former, {"id": 2, "url": "http://other.example", "title": "Their model"}], HERE) == [former]


def test_a_connection_at_this_address_is_ours_whatever_its_title() -> None:
    rows = [{"id": 1, "url": f"{HERE}/", "title": "Shortlist"}, {"id": 2, "url": "http://other.example", "title": ""}]
    assert [row["id"] for row in ours(rows, HERE)] == [1]
    assert [row["id"] for row in at_address(rows, HERE)] == [1]
