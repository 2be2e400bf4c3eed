"""Which release of Label Studio lacks what."""

from __future__ import annotations

import pytest

from backend.label_studio.releases import lacks, older


@pytest.mark.parametrize(
    ("release", "since"),
    [
        ("1.9.2", ["1.17", "1.21"]),
        ("1.16.0", ["1.17", "1.21"]),
        ("1.17.0", ["1.21"]),
        ("1.20.0.post2", ["1.21"]),
        ("1.21.0.dev1", []),
        ("1.100", []),
        ("2.8.0", []),
        ("", []),
        ("develop", []),
    ],
)
def test_what_comes_later_is_missing(release: str, since: list[str]) -> None:
    assert [line.rpartition("since ")[2].rstrip(")") for line in lacks(release)] == since


def test_parts_of_a_release_are_numbers() -> None:
    assert older("1.9", "1.13")
    assert not older("1.13.1", "1.13")
