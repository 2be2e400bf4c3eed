"""What a person decided: from an annotation of Label Studio to a row of the pool."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from backend.label_studio.control import Control
from backend.label_studio.fields import identifier, utc_text
from backend.label_studio.plain_text import storable
from backend.label_studio.questions import Question
from backend.pool.annotation import Annotation, AnnotationState
from model.group_answers import applies, asked
from model.whole_answers import labels_of, whole

log = structlog.get_logger(__name__)

ACCEPTED = "shortlist_accepted"  # in the meta of a region: the label that a promise, and no person, gave
LONGEST_LEAD = 1e9  # seconds: more is no time
AT_ONCE = timedelta(seconds=1)
PLACES = frozenset({"start", "end", "startOffset", "x"})  # keys of a region's value that say where it is
MOST_UNKNOWN = 20  # labels of one annotation that are kept by name though there is no such label


def chosen_labels(control: Control, result: object) -> tuple[str, ...]:
    """The labels that a result has ticked for the control's questions, each once.

    Regions of other controls (such as the list of candidates) are ignored. Labels that the label space does not have
    any more are dropped and reported.
    """
    known, unknown = split_labels(control, result)
    if unknown:
        log.warning("unknown labels dropped", control=control.name, labels=unknown[:5])
    return known


def split_labels(control: Control, result: object) -> tuple[tuple[str, ...], list[str]]:
    """The known labels of a result, and what is ticked there but unknown."""
    known: dict[str, None] = {}
    unknown: list[str] = []
    unread: set[str] = set()
    for question, one in _ticked(control, result):
        label = question.label_of(one)
        if label is None:
            unknown.append(str(one)[:80])
            unread.add(question.name)
        else:
            known[control.label(question, label)] = None
    return (*known, *_unticked(control, known, unread)), unknown


def _unticked(control: Control, known: Collection[str], unread: Collection[str]) -> list[str]:
    """What single choices say by not being ticked: where they were asked, and another question was answered, or no
    other was asked beside that; nothing where what was ticked is no label any more (`unread`)."""
    flags = [question for question in control.questions if question.off and question.name not in unread]
    names = {control.label(one, one.labels[0].name): control.label(one, one.off) for one in flags}
    off = {name for ticked, name in names.items() if ticked not in known}
    others = (group for group, one in zip(control.space.groups, control.questions, strict=True) if not one.off)
    if not flags or not (known or not any(applies(group, off) for group in others)):
        return []
    kept = asked(control.space, {*known, *off})
    return [name for name in names.values() if name in off & kept]


def read_annotation(control: Control, body: Mapping[str, Any], task_id: int) -> Annotation:
    """A row of the pool from an annotation as webhooks, lists and exports of Label Studio have it.

    `body` needs an `id`; everything else may be missing. `body["prediction"]`, where it is filled, is what the person
    was shown. Raises ValueError when the id is not a number that the pool can hold.
    """
    number = identifier(body.get("id"))
    if number is None:
        raise ValueError(f"an annotation has the id {str(body.get('id'))[:40]!r}")
    skipped = bool(body.get("was_cancelled"))
    labels, unknown = ((), []) if skipped else split_labels(control, body.get("result"))
    if unknown:
        log.warning("unknown labels dropped", control=control.name, labels=unknown[:5])
    version, shown, score = _shown(control, body.get("prediction"))
    return Annotation(
        annotation=number,
        task=task_id,
        annotator=_annotator(body.get("completed_by")),
        labels=labels,
        state=_state(control, body, skipped, labels),
        ground_truth=body.get("ground_truth") is True,
        updated_at=utc_text(body.get("updated_at") or body.get("created_at")),
        shown_version=version,
        shown_labels=shown,
        shown_score=score,
        unknown=tuple(storable(label) for label in dict.fromkeys(unknown))[:MOST_UNKNOWN],
        lead_time=_lead_time(body.get("lead_time")),
    )


def _lead_time(value: object) -> float | None:
    """Seconds; None for what is no time."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < LONGEST_LEAD
    return float(value) if usable and isinstance(value, int | float) else None


def _state(control: Control, body: Mapping[str, Any], skipped: bool, labels: tuple[str, ...]) -> AnnotationState:
    if skipped or not labels:
        return "skipped" if skipped else "empty"
    accepted = accepted_label(control, body)
    mine = accepted is not None and set(labels_of(control.space, accepted)) == set(labels)
    return "accepted" if mine else "labelled"


def accepted_result(regions: Sequence[Mapping[str, Any]], label: str, note: str) -> list[dict[str, Any]]:
    """The result of an annotation that a promise writes: the regions that tick the answer, one for each question,
    marked, and with a note that Label Studio shows beside them."""
    return [{**region, "meta": {"text": [note], ACCEPTED: label}} for region in regions]


def accepted_label(control: Control, body: Mapping[str, Any]) -> str | None:
    """The answer (see `whole`) that a promise wrote into an annotation, if it is one of these and still says so; who
    changes it, or submits it as it is, makes it their own."""
    label = mark_of(body)
    mine = label is not None and whole(control.space, chosen_labels(control, body.get("result"))) == label
    return label if mine else None


def mark_of(body: Mapping[str, Any]) -> str | None:
    """What a promise wrote into an annotation that nobody has saved since, whatever labels there are now."""
    result = body.get("result")
    metas = [one.get("meta") for one in result if isinstance(one, Mapping)] if isinstance(result, list) else []
    marks = [meta.get(ACCEPTED) for meta in metas if isinstance(meta, Mapping)]
    label = next((mark for mark in marks if isinstance(mark, str)), None)
    return None if label is None or _saved_again(body) else label


def _saved_again(body: Mapping[str, Any]) -> bool:
    """Whether somebody pressed Update: Label Studio sets both times at once when an annotation is made."""
    made, saved = (utc_text(body.get(name)) for name in ("created_at", "updated_at"))
    return bool(made and saved) and datetime.fromisoformat(saved) - datetime.fromisoformat(made) > AT_ONCE


def _ticked(control: Control, result: object) -> list[tuple[Question, object]]:
    ticked: list[tuple[Question, object]] = []
    for region in result if isinstance(result, list) else []:
        question = control.question_of(region.get("from_name")) if isinstance(region, Mapping) else None
        if question is not None and not _is_part(region.get("value")):
            ticked.extend((question, one) for one in question.given(region.get("value")))
    return ticked


def _is_part(value: object) -> bool:
    """Whether a region is about a part of the text: its control had perRegion when it was made."""
    return isinstance(value, Mapping) and not PLACES.isdisjoint(value)


def _annotator(value: object) -> int | None:
    return identifier(value.get("id") if isinstance(value, Mapping) else value)


def _shown(control: Control, prediction: object) -> tuple[str | None, tuple[str, ...] | None, float | None]:
    """Version, labels and score of the prediction that the form was filled from; Nones when there was none."""
    version = prediction.get("model_version") if isinstance(prediction, Mapping) else None
    if not isinstance(prediction, Mapping) or not isinstance(version, str) or not version:
        return None, None, None
    score = prediction.get("score")
    labels, _ = split_labels(control, prediction.get("result")) if score or prediction.get("result") else ((), [])
    usable = isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)
    return storable(version)[:64], labels, float(score) if usable and score is not None else None
