"""Who stands behind each label of an export: a person, an audit's person, or a promise with its bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.pool import certified, promises
from backend.projects.current import Current
from backend.reporting.question_columns import by_column
from model.whole_answers import labels_of

COLUMNS = ("behind", "bound")


def stand_behind(current: Current, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of an export with `behind` ("person", "audit", "promise", or "": nobody does) and `bound`, the share of
    the whole pool's labels that may be wrong, of several questions the largest. What a finished pool left to the
    student keeps its frozen label."""
    promise = promises.get(current.engine, current.number)
    made = promise is not None and promise.certificate is not None
    known = certified.rows(current.engine, current.number) if made else {}
    space = current.space
    sets = space.several
    weakest = max(part.target for part in promise.about) if promise is not None else None
    finished = promise is not None and promise.state == "finished"
    for row in rows:
        frozen = known.get(row["task"])
        behind = row["source"] if row["source"] == "person" else ""
        if behind and frozen is not None and frozen.role == "audit":
            behind = "audit"
        if finished and not behind and frozen is not None and frozen.role == "accepted" and (sets or not row["labels"]):
            behind = "promise"
            labels = list(labels_of(space, frozen.label))
            one = {"labels": labels} if sets else {"label": frozen.label}
            row |= {"confidence": frozen.score, **one, **by_column(space, labels)}
        bound = weakest if frozen is not None and behind else None
        yield row | {"behind": behind, "bound": bound}
