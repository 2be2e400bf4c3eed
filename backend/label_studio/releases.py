"""What releases of Label Studio lack that Shortlist has a use for, and which release brings it (seen in their code)."""

from __future__ import annotations

import re
from dataclasses import dataclass

OLDEST = "1.13"  # of those that were tried; docs/evidence/machines.md has the list
TOKENS = "1.17"  # brings personal access tokens


@dataclass(frozen=True)
class Feature:
    """Something that Label Studio has from a release on."""

    name: str
    since: str


FEATURES = (
    Feature("personal access tokens", TOKENS),
    Feature("the switch for large projects that the how-to names", "1.21"),
)


def lacks(release: str) -> list[str]:
    """In words what a release such as `1.13.1` lacks, and since when Label Studio has it; [] for an unreadable one."""
    missing = [feature for feature in FEATURES if older(release, feature.since)]
    return [f"{feature.name} (since {feature.since})" for feature in missing]


def older(release: str, since: str) -> bool:
    """Whether a release comes before another; development versions count as what they lead to."""
    numbers = re.match(r"\d+(\.\d+)+", release)
    return numbers is not None and _numbers(numbers[0]) < _numbers(since)


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split("."))
