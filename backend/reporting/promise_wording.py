"""A promise in words: what holds of each part of it, and which labels are too rare for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.pool.promises import Promise
from model.groups import parted
from model.labels import LabelSpace
from model.promise.parts import Part

NAMED = 8  # labels that are told by name


def held(space: LabelSpace, promise: Promise) -> str:
    """What holds of the finished pool."""
    if not promise.parts:
        counted = "sets of labels" if space.several else "labels"
        return f"at most {percent(promise.target)} of all {counted} are wrong"
    by_question: dict[str, list[Part]] = {}
    for part in promise.parts:
        by_question.setdefault(part.question, []).append(part)
    return ", and ".join(_about(space, parts) for parts in by_question.values())


def _about(space: LabelSpace, parts: Sequence[Part]) -> str:
    """What holds of one question, which is one part or a part for each label."""
    part, of = parts[0], f' of "{parts[0].question}"' if parts[0].question else ""
    kind = next((group.kind for group in space.groups if group.name == part.question), "one")  # it may be asked no more
    if part.steps > 1 and kind == "any":
        told = f"people's labels{of} and those given share all but {percent(part.target)} on average (Jaccard index)"
    elif part.steps > 1 and kind == "ordered":
        told = f"labels{of} are off by at most {part.target * part.steps:.3g} levels on average"
    elif part.steps > 1:
        told = f"at most {percent(part.target)} of all answers{of} is lost"
    else:
        told = f"at most {percent(part.target)} of all {'sets of labels' if kind == 'any' else 'labels'}{of} are wrong"
    return f"{told}, among the tasks that the student gives each label" if part.label else told


def too_rare(certificate: Mapping[str, Any]) -> str:
    """Which labels stay with people, because too few tasks with them were audited; "" if none does."""
    rare = [one for one in certificate.get("parts", ()) if one["label"] and one["acceptance"] < 0]
    names = [parted(one["label"])[1] if one["question"] else one["label"] for one in rare]
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f". Too rare to be left to the student: {', '.join(names[:NAMED])}{more}" if names else ""


def since(counts: Mapping[str, int], pool: int) -> str:
    """What has happened to the pool since the certificate was made; "" if nothing has."""
    later, gone, parts = counts["later"], counts["gone"], []
    if later:
        parts.append(f". {_tasks(later)} came later and {'is' if later == 1 else 'are'} no part of it")
    if gone:
        were = "was" if gone == 1 else "were"
        parts.append(f". {_tasks(gone)} of it {were} deleted since: what may be wrong is still a share of all {pool:,}")
    if counts["changed"]:
        decisions = f"{counts['changed']:,} {'decision' if counts['changed'] == 1 else 'decisions'}"
        parts.append(
            f". People have since changed {decisions} of its audit that had been the student's: unless by mistake, "
            "begin another promise (`shortlist finish --anew`)"
        )
    return "".join(parts)


def _tasks(number: int) -> str:
    return f"{number:,} {'task' if number == 1 else 'tasks'}"


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100 * share:.4g} %"
