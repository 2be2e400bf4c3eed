"""Who stands behind each label of an export: a person, an audit's person, or a promise with its bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backend.pool import certified, promises
from backend.pool.certified import Row
from backend.projects.current import Current
from backend.reporting.question_columns import by_column
from model.group_answers import limited
from model.labels import LabelSpace
from model.whole_answers import labels_of

COLUMNS = ("behind", "bound")
BY_PERSON = "by_person"  # of a row of an export: the questions that people decided


def columns(space: LabelSpace) -> list[str]:
    """The columns of several questions, each with its own."""
    return [f"{name}:{group.name}" for group in space.questions for name in COLUMNS]


def stand_behind(current: Current, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of an export with `behind` ("person", "audit", "promise", or "": nobody does) and `bound`, the share of
    the whole pool's labels that may be wrong, of several questions the largest; and the same of each of them, where a
    question without a promise has no bound, and nobody stands behind what the student says of it. What a finished pool
    left to the student keeps its frozen label."""
    promise = promises.get(current.engine, current.number)
    certificate = promise.certificate if promise is not None else None
    known = certified.rows(current.engine, current.number) if certificate is not None else {}
    bounds = _bounds(certificate) if certificate is not None else {}
    finished = promise is not None and promise.state == "finished"
    for row in rows:
        frozen = known.get(row["task"])
        left = frozen if finished and frozen is not None and frozen.role == "accepted" else None
        person = "audit" if frozen is not None and frozen.role == "audit" else "person"
        behind = person if row["source"] == "person" else ""
        if not behind and left is not None and not row[BY_PERSON] and (current.space.several or not row["labels"]):
            behind = "promise"
            row.update(_answer(current.space, left))
        bound = max(bounds.values()) if frozen is not None and behind else None
        yield row | {"behind": behind, "bound": bound} | _by_question(current.space, row, person, frozen, left, bounds)


def _bounds(certificate: Mapping[str, Any]) -> dict[str, float]:
    """What may be wrong, by question; "" where there is one."""
    parts = certificate.get("parts") or [{"question": "", "target": certificate["target"]}]
    return {str(part["question"]): float(part["target"]) for part in parts}


def _answer(space: LabelSpace, frozen: Row) -> dict[str, Any]:
    """The columns of an answer that was left to the student."""
    labels = list(labels_of(space, frozen.label))
    one = {"labels": labels} if space.several else {}
    return {"label": next(iter(labels), ""), "confidence": frozen.score, **one, **by_column(space, labels)}


def _by_question(
    space: LabelSpace,
    row: Mapping[str, Any],
    person: str,
    frozen: Row | None,
    left: Row | None,
    bounds: Mapping[str, float],
) -> dict[str, Any]:
    """Of several questions who stands behind each: an answer that is not the frozen one is no promise's."""
    found: dict[str, Any] = {}
    kept = labels_of(space, left.label) if left is not None else ()
    for group in space.questions:
        same = set(limited(space, kept, [group])) == set(limited(space, row["labels"], [group]))
        behind = person if row["source"] == "person" or group.name in row[BY_PERSON] else ""
        if not behind and left is not None and group.name in bounds and same:
            behind = "promise"
        bound = bounds.get(group.name) if frozen is not None and behind else None
        found |= {f"behind:{group.name}": behind, f"bound:{group.name}": bound}
    return found
