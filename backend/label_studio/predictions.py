"""Candidate sets and labels as Label Studio's prediction entries, and the check that each passes before it leaves.

What Label Studio does with a wrong entry ranges from "stored, and the person submits an invisible label" to "the task
does not open". So nothing leaves that `is_valid` does not accept.
"""

from __future__ import annotations

from typing import Any

from backend.label_studio.annotations import chosen_labels, read_annotation
from backend.label_studio.control import Control
from backend.label_studio.questions import Question
from model.group_answers import applies, within
from model.labels import CandidateSet

__all__ = ["abstained_entry", "chosen_labels", "is_valid", "label_entry", "read_annotation", "regions",
           "set_entry",
           "shortlist_entry", "ticks"]  # fmt: skip

Entry = dict[str, Any]


def shortlist_entry(
    control: Control, version: str, candidates: CandidateSet, limit: int, preselect: bool = True
) -> Entry:
    """The entry of a candidate set, cut to `limit` labels: all ticked where the control takes several (config A), else
    the first ticked (if `preselect`) and all of them listed in the read-only text area (config B).

    Where several labels may be right those that are certain are ticked, however many, and maybe none: what is ticked
    can be submitted as it is. Several questions have a region each. The score is the confidence in the first label.
    """
    if control.space.questions:
        return set_entry(control, version, _shown(control, candidates, limit), candidates.score)
    if candidates.certain is not None:
        return set_entry(control, version, candidates.certain, candidates.score)
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


def _shown(control: Control, candidates: CandidateSet, limit: int) -> tuple[str, ...]:
    """What is ticked for several questions: a shortlist where one label is right and the control shows several ticks,
    else what would be answered; nothing for a question that is not asked beside that."""
    space, chosen = control.space, dict[str, None]()
    for place, (group, question) in enumerate(zip(space.groups, control.questions, strict=True)):
        part = within(space, place, candidates)
        if part is not None and applies(group, chosen):
            listed = part.labels[:limit] if part.certain is None and question.multiple else part.answer
            chosen |= dict.fromkeys(control.label(question, label) for label in listed)
    return tuple(chosen)


def label_entry(control: Control, version: str, label: str, score: float, preselect: bool = True) -> Entry:
    """The entry of one label with its probability; without `preselect` config B lists it instead of ticking it."""
    listed = control.candidates_area is not None and not preselect
    region = _lines(control, [_line(control, label, score)]) if listed else ticks(control, (label,))
    return {"model_version": version, "score": float(score), "result": [region]}


def set_entry(control: Control, version: str, labels: tuple[str, ...], score: float) -> Entry:
    """The entry of all labels that are right at once, one region for each question; of none it has no region."""
    return {"model_version": version, "score": float(score), "result": regions(control, labels)}


def regions(control: Control, labels: tuple[str, ...]) -> list[Entry]:
    """A region for each question that these labels answer by a tick."""
    return [_ticks(question, own) for question, own in control.by_question(labels) if own != (question.off,)]


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
    """The region of a result that ticks these labels, of one question."""
    ((question, own),) = control.by_question(labels)
    return _ticks(question, own)


def _ticks(question: Question, labels: tuple[str, ...]) -> Entry:
    return _region(question.to_name, question.name, question.wire_type, question.wire_value(labels))


def _lines(control: Control, lines: list[str]) -> Entry:
    return _region(control.to_name, str(control.candidates_area), "textarea", {"text": lines})


def _region(to_name: str, name: str, kind: str, value: Entry) -> Entry:
    return {"from_name": name, "to_name": to_name, "type": kind, "value": value}


def _line(control: Control, label: str, confidence: float | None) -> str:
    title = control.space.labels[control.space.index(label)].title
    return title if confidence is None else f"{title} {confidence * 100:.0f} %"


def _region_problem(control: Control, region: Entry) -> str:
    name, value = region.get("from_name"), region.get("value")
    question = control.question_of(name)
    to_name = question.to_name if question is not None else control.to_name
    if region.get("to_name") != to_name or not isinstance(value, dict):
        return f"a region points to {str(region.get('to_name'))[:64]!r} or has no value"
    if question is not None:
        return _ticks_problem(question, region.get("type"), value)
    if name is not None and name == control.candidates_area:
        lines = value.get("text")
        good = isinstance(lines, list) and all(isinstance(line, str) for line in lines)
        return "" if good and region.get("type") == "textarea" else "the candidates are not a list of lines"
    return f"there is no control {str(name)[:64]!r}"


def _ticks_problem(question: Question, kind: object, value: Entry) -> str:
    chosen = question.given(value)
    listed = not question.listed or chosen == value.get(question.value_key)
    if kind != question.wire_type or not chosen or not listed:
        return f"a region of {question.name!r} has no {question.value_key} of type {question.wire_type}"
    labels = [question.label_of(one) if question.is_written_so(one) else None for one in chosen]
    if None in labels:
        return f"label {str(chosen[labels.index(None)])[:80]!r} is not in the label space"
    if len(set(labels)) != len(labels):
        return "a label is ticked twice"
    if len(labels) > 1 and not question.multiple:
        return f"{len(labels)} labels for {question.name!r}, which takes one"
    return ""
