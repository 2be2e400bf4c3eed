"""What a student serves where it is unsure (setting SERVE_UNSURE): its label, or the shortlist of a stated coverage.

A shortlist is the split-conformal set of the version's calibration, where it holds more than one label. Published and
live answers read the same stored shortlists, so that they agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from backend.label_studio.control import Control
from backend.label_studio.predictions import label_entry, shortlist_entry
from backend.pool import shortlists
from backend.project_options import ProjectOptions
from backend.services import Services
from model.labels import CandidateSet

if TYPE_CHECKING:
    from pathlib import Path

    from model.arrays import BoolArray, FloatArray, IntArray
    from model.calibration import Calibration
    from model.labels import LabelSpace

MOST_LABELS = 20  # of a shortlist that are stored; MAX_CANDIDATES are shown


def wanted(options: ProjectOptions) -> bool:
    """Whether shortlists are served."""
    return options.SERVE_UNSURE == "shortlist"


def of_version(folder: Path) -> Calibration | None:
    """The calibration of a stored version; None where it has none that promises anything."""
    from model.calibration import Calibration
    from model.registry import read_card

    content = read_card(folder).get("calibration")
    found = Calibration.from_json(content) if isinstance(content, Mapping) else None
    return found if found is not None and found.threshold is not None else None


def lists(calibration: Calibration | None, space: LabelSpace, probabilities: FloatArray) -> list[CandidateSet | None]:
    """For each row of calibrated probabilities `(n, C)` the shortlist, None where the student is sure."""
    if calibration is None or calibration.threshold is None or not len(probabilities):
        return [None] * len(probabilities)
    return [
        _shortlist(space, row, inside, answer) if inside.sum() > 1 else None
        for row, inside, answer in zip(probabilities, *_inside(calibration, space, probabilities), strict=True)
    ]


def _inside(calibration: Calibration, space: LabelSpace, probabilities: FloatArray) -> tuple[BoolArray, IntArray]:
    """Which labels `(n, C)` belong to each set, of levels in order all from the lowest to the highest of them and of
    the answer; and the answers `(n,)`."""
    import numpy as np

    from model.decoding import chosen

    sets, answers = calibration.sets(probabilities), chosen(space.answer, probabilities)
    if space.answer == "ordered":
        sets[np.arange(len(sets)), answers] = True
        below, above = (np.logical_or.accumulate(side, axis=1) for side in (sets, sets[:, ::-1]))
        sets = below & above[:, ::-1]
    return sets, answers


def _shortlist(space: LabelSpace, row: Any, inside: Any, answer: int) -> CandidateSet:
    """The answer first, then the likeliest."""
    columns = sorted(inside.nonzero()[0], key=lambda column: (column != answer, -row[column], column))[:MOST_LABELS]
    shares = tuple(min(1.0, float(row[column])) for column in columns)
    return CandidateSet(tuple(space.names[column] for column in columns), shares)


def promise(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """For people: what the figures of a version say about its calibration; None before there was one.

    `promised` says whether its shortlists hold the true label with `coverage`; if not, `note` says why.
    `error` is the gap between how sure it is and how often it is right.
    """
    found = metrics.get("calibration")
    if not isinstance(found, Mapping):
        return None
    names = ("coverage", "labels", "temperature", "error", "note")
    return {**{name: found.get(name) for name in names}, "promised": found.get("threshold") is not None}


def stored(
    services: Services, project: int, version: str, options: ProjectOptions, tasks: Collection[int]
) -> Mapping[int, CandidateSet]:
    """A student version's shortlists by task; none where labels are served."""
    return shortlists.read(services.engine, project, version, tasks) if wanted(options) else {}


def keep(
    services: Services, project: int, version: str, options: ProjectOptions, rows: Mapping[int, CandidateSet | None]
) -> None:
    """Store a student version's shortlists, if they are to be served; else those of former texts go."""
    if rows:
        now = rows if wanted(options) else dict.fromkeys(rows)
        shortlists.save(services.engine, project, version, now)


def student_entry(
    control: Control, version: str, options: ProjectOptions, label: str, score: float, found: CandidateSet | None
) -> dict[str, Any]:
    """The entry of a student's answer, in the teacher's format where it is a shortlist; the score is the label's."""
    if found is None or not wanted(options):
        return label_entry(control, version, label, score, options.PRESELECT)
    entry = shortlist_entry(control, version, found, options.MAX_CANDIDATES, options.PRESELECT)
    return {**entry, "score": float(score)}
