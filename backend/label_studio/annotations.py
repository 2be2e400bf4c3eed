"""What a person decided: from an annotation of Label Studio to a row of the pool."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import structlog

from backend.label_studio.control import Control
from backend.label_studio.fields import identifier, utc_text
from backend.label_studio.task_text import storable
from backend.pool.annotation import Annotation

log = structlog.get_logger(__name__)

MOST_UNKNOWN = 20  # labels of one annotation that are kept by name though there is no such label


def chosen_labels(control: Control, result: object) -> tuple[str, ...]:
    """The labels that a result has ticked for this control, each once.

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
    for one in _ticked(control, result):
        label = control.label_of(one)
        if label is None:
            unknown.append(str(one)[:80])
        else:
            known[label] = None
    return tuple(known), unknown


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
        state="skipped" if skipped else "labelled" if labels else "empty",
        ground_truth=body.get("ground_truth") is True,
        updated_at=utc_text(body.get("updated_at") or body.get("created_at")),
        shown_version=version,
        shown_labels=shown,
        shown_score=score,
        unknown=tuple(storable(label) for label in dict.fromkeys(unknown))[:MOST_UNKNOWN],
    )


def _ticked(control: Control, result: object) -> list[object]:
    ticked: list[object] = []
    for region in result if isinstance(result, list) else []:
        if not isinstance(region, Mapping) or region.get("from_name") != control.name:
            continue
        value = region.get("value")
        chosen = value.get(control.value_key) if isinstance(value, Mapping) else None
        ticked.extend(chosen if isinstance(chosen, list) else [])
    return ticked


def _annotator(value: object) -> int | None:
    return identifier(value.get("id") if isinstance(value, Mapping) else value)


def _shown(control: Control, prediction: object) -> tuple[str | None, tuple[str, ...] | None, float | None]:
    """Version, labels and score of the prediction that the form was filled from; Nones when there was none."""
    version = prediction.get("model_version") if isinstance(prediction, Mapping) else None
    if not isinstance(prediction, Mapping) or not isinstance(version, str) or not version:
        return None, None, None
    labels, _ = split_labels(control, prediction.get("result"))
    score = prediction.get("score")
    usable = isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)
    return storable(version)[:64], labels, float(score) if usable and score is not None else None
