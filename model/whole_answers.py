"""A task's answer as one string, whether it is one label or a set: two answers are the same or they are not."""

from __future__ import annotations

import json
from collections.abc import Collection

from model.labels import LabelSpace


def whole(space: LabelSpace, labels: Collection[str]) -> str:
    """The one label, "" for none; where several may be right, JSON of them in the order of the space."""
    if not space.several:
        return next(iter(labels), "")
    order = {name: place for place, name in enumerate(space.names)}
    return json.dumps(sorted(labels, key=lambda name: (order.get(name, len(order)), name)), ensure_ascii=False)


def labels_of(space: LabelSpace, answer: str) -> tuple[str, ...]:
    """The inverse of `whole`."""
    if not space.several:
        return (answer,) if answer else ()
    return tuple(json.loads(answer)) if answer else ()
