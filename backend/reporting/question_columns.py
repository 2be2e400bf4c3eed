"""The columns of an export for each of several questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.group_answers import limited
from model.groups import Group, parted
from model.labels import LabelSpace


def column(group: Group) -> str:
    """The name of a question's column."""
    return f"question:{group.name}"


def by_column(space: LabelSpace, labels: Sequence[str]) -> dict[str, Any]:
    """The answer to each of several questions by its column, by bare names."""
    found: dict[str, Any] = {}
    for group in space.questions:
        own = [parted(label)[1] for label in limited(space, labels, [group])]
        found[column(group)] = own if group.kind == "any" else next(iter(own), "")
    return found
