"""Candidate sets and labels as Label Studio's prediction entries, and the check that each passes before it leaves.

What Label Studio does with a wrong entry ranges from "stored, and the person submits an invisible label" to "the task
does not open". So nothing leaves that `is_valid` does not accept.
"""

from __future__ import annotations

from typing import Any

from backend.label_studio.annotations import chosen_labels, read_annotation
from backend.label_studio.control import Control
from model.labels import CandidateSet

__all__ = ["abstained_entry", "chosen_labels", "is_valid", "label_entry", "read_annotation", "shortlist_entry", "ticks"]

Entry = dict[str, Any]


def shortlist_entry(
    control: Control, version: str, candidates: CandidateSet, limit: int, preselect: bool = True
) -> Entry:
    """The entry of a candidate set, cut to `limit` labels: all ticked where the control takes several (config A), else
    the first ticked (if `preselect`) and all of them listed in the read-only text area (config B).

    The score is the confidence in the first label.
    """
    labels = candidates.labels[:limit]
    result = []
    if control.candidates_area is not None:
        shares: tuple[float | None, ...] = candidates.confidences[:limit] or (None,) * len(labels)
        result.append(_lines(control, [_line(control, *pair) for pair in zip(labels, shares, strict=True)]))
    if control.multiple:
        result.append(ticks(control, labels))
    elif preselect or control.candidates_area is None:
        result.append(ticks(control, labels[:1]))
    return {"model_version": version, "score": float(candidates.score), "result": result}


def label_entry(control: Control, version: str, label: str, score: float, preselect: bool = True) -> Entry:
    """The entry of one label with its probability; without `preselect` config B lists it instead of ticking it."""
    listed = control.candidates_area is not None and not preselect
    region = _lines(control, [_line(control, label, score)]) if listed else ticks(control, (label,))
    return {"model_version": version, "score": float(score), "result": [region]}


def abstained_entry(version: str) -> Entry:
    """The model was asked and names no label: stored once, not asked again for this version."""
    return {"model_version": version, "score": 0.0, "result": []}


def is_valid(control: Control, entry: object, version: str = "") -> str:
    """What is wrong with an entry, "" if nothing is. `version` is the only one accepted, if given."""
    if not isinstance(entry, dict):
        return f"an entry is {type(entry).__name__}, not an object"
    problem = _head_problem(entry, version)
    result = entry.get("result")
    if problem or not isinstance(result, list):
        return problem or f"the result is {type(result).__name__}, not a list"
    names = [str(region.get("from_name")) for region in result if isinstance(region, dict)]
    if len(names) != len(result) or len(set(names)) != len(names):
        return "the result has a region that is no object, or two regions of one control"
    return next((problem for region in result if (problem := _region_problem(control, region))), "")


def _head_problem(entry: Entry, version: str) -> str:
    stated, score = entry.get("model_version"), entry.get("score")
    if not isinstance(stated, str) or not stated or (version and stated != version):
        return f"the version is {str(stated)[:64]!r}, served is {version!r}"
    if isinstance(score, bool) or not isinstance(score, int | float):
        return f"the score is {type(score).__name__}, not a number"
    return "" if 0.0 <= score <= 1.0 else f"the score {score} is not in [0, 1]"


def ticks(control: Control, labels: tuple[str, ...]) -> Entry:
    """The region of a result that ticks these labels."""
    return _region(control, control.name, control.value_key, control.wire_value(labels))


def _lines(control: Control, lines: list[str]) -> Entry:
    return _region(control, str(control.candidates_area), "textarea", {"text": lines})


def _region(control: Control, name: str, kind: str, value: Entry) -> Entry:
    return {"from_name": name, "to_name": control.to_name, "type": kind, "value": value}


def _line(control: Control, label: str, confidence: float | None) -> str:
    title = control.space.labels[control.space.index(label)].title
    return title if confidence is None else f"{title} {confidence * 100:.0f} %"


def _region_problem(control: Control, region: Entry) -> str:
    name, value = region.get("from_name"), region.get("value")
    if region.get("to_name") != control.to_name or not isinstance(value, dict):
        return f"a region points to {str(region.get('to_name'))[:64]!r} or has no value"
    if name == control.name:
        return _ticks_problem(control, region.get("type"), value)
    if name is not None and name == control.candidates_area:
        lines = value.get("text")
        good = isinstance(lines, list) and all(isinstance(line, str) for line in lines)
        return "" if good and region.get("type") == "textarea" else "the candidates are not a list of lines"
    return f"there is no control {str(name)[:64]!r}"


def _ticks_problem(control: Control, kind: object, value: Entry) -> str:
    chosen = value.get(control.value_key)
    if kind != control.value_key or not isinstance(chosen, list) or not chosen:
        return f"a region of {control.name!r} has no list of {control.value_key}"
    labels = [
        control.label_of(one) if isinstance(one, list) == (control.kind == "Taxonomy") else None for one in chosen
    ]
    if None in labels:
        return f"label {str(chosen[labels.index(None)])[:80]!r} is not in the label space"
    if len(set(labels)) != len(labels):
        return "a label is ticked twice"
    if len(labels) > 1 and not control.multiple:
        return f"{len(labels)} labels for {control.name!r}, which takes one"
    return ""
