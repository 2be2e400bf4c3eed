"""What a project's promise is about, by its options: the whole, or parts with a share each."""

from __future__ import annotations

from collections.abc import Sequence

from backend.pool import label_spaces
from backend.pool.promises import Promise
from backend.projects.current import Current
from model.labels import LabelSpace
from model.promise.parts import Part, parts_of


def by_question(current: Current) -> dict[str, float]:
    """The shares that TARGET_ERROR_BY_QUESTION names."""
    said = current.options.TARGET_ERROR_BY_QUESTION
    return {name: float(share) for name, share in (one.split("=") for one in said.split(",") if one)}


def misnamed(current: Current) -> str:
    """What is wrong with the options, as a sentence for people; "" if nothing is."""
    asked = [group.name for group in current.space.questions]
    unknown = [name for name in by_question(current) if name not in asked]
    if unknown and not asked:
        return "TARGET_ERROR_BY_QUESTION is for several questions, and this project asks one: set TARGET_ERROR alone"
    if unknown:
        return f"TARGET_ERROR_BY_QUESTION names {', '.join(unknown)}; the questions are {', '.join(asked)}"
    if asked and not targeted(current)[1]:
        return "TARGET_ERROR_BY_QUESTION promises nothing about any question: give one of them less than 1"
    return ""


def same_labels(current: Current, promise: Promise) -> bool:
    """Whether a promise is about the labels and questions that there are now; they may be described otherwise."""
    if promise.space_hash == current.space.hash:
        return True
    former = label_spaces.recall(current.engine, current.number, promise.space_hash)
    return former is not None and _undescribed(former) == _undescribed(current.space)


def _undescribed(space: LabelSpace) -> dict[str, object]:
    return {**space.to_json(), "labels": space.names}


def targeted(current: Current) -> tuple[float, tuple[Part, ...]]:
    """The smallest share of what may be wrong, and the parts; () for errors of a whole pool with one question."""
    options, space = current.options, current.space
    shares = dict.fromkeys((group.name for group in space.groups), options.TARGET_ERROR) | by_question(current)
    whole = options.TARGET_LOSS == "whole"
    parts = parts_of(space, shares, whole=whole, per_label=options.TARGET_ERROR_PER_LABEL)
    target = min((part.target for part in parts), default=options.TARGET_ERROR)
    return target, () if parts == (Part(target=target),) else parts


def questions(parts: Sequence[Part]) -> int:
    """How many questions a promise is about."""
    return len({part.question for part in parts}) or 1


def strata(parts: Sequence[Part]) -> int:
    """Into how many labels the tasks of a question are split, at most."""
    return max((sum(one.question == part.question for one in parts) for part in parts), default=1)
