"""A stored student of any single kind, loaded; committees are of `model.loading`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.errors import ArtifactError
from model.pair_views import PairView
from model.student.artifact import DESCRIPTION, WEIGHTS, read_description, read_space, read_tensors
from model.student.student import Student


def load_student(folder: Path) -> Student:
    """The student that `save` wrote. ArtifactError names file and field, or the package that this kind of student needs
    and this process has not; nothing is unpickled."""
    description = read_description(folder)
    try:
        return _load(folder, description)
    except ModuleNotFoundError as error:
        raise ArtifactError(
            f"{folder / DESCRIPTION}: a student of kind {description['kind']!r} needs the package {error.name}; "
            "install shortlist[train], or train with STUDENT_TRAINING=head"
        ) from error


def _load(folder: Path, description: Mapping[str, Any]) -> Student:
    space = read_space(folder, description)
    encoder, temperature = str(description["encoder"]), float(description["temperature"])
    if description["kind"] in ("head", "adapted"):
        from model.student.adapted import AdaptedStudent, read_adapted
        from model.student.crossed import with_stored_cross
        from model.student.head import HeadStudent

        heads = description.get("heads")
        if not isinstance(heads, int) or heads < 1:
            raise ArtifactError(f"{folder / DESCRIPTION}: field 'heads' is missing or not a positive number")
        try:
            runtime = str(description.get("runtime", "float32"))  # older ones knew no other
            tensors, limits = read_tensors(folder), _thresholds(folder, description, len(space))
            found = HeadStudent.load(space, encoder, temperature, tensors, heads, runtime, limits, _view(description))
        except KeyError as error:
            raise ArtifactError(f"{folder / WEIGHTS}: tensor {error} is missing") from error
        alone = found if description["kind"] == "head" else AdaptedStudent(found, read_adapted(folder, runtime))
        return with_stored_cross(folder, alone)
    if description["kind"] == "finetune":
        from model.student.finetuned import load_finetuned

        return load_finetuned(folder, space, encoder, temperature, int(description.get("longest", 128)))
    raise ArtifactError(
        f"{folder / DESCRIPTION}: field 'kind' is {description['kind']!r}, which this release cannot load"
    )


def _view(description: Mapping[str, Any]) -> PairView | None:
    """What a student sees of tasks of two texts; None for one of single texts."""
    stored = description.get("pair")
    if stored is None:
        return None
    return PairView.from_json(stored if isinstance(stored, dict) else {})


def _thresholds(folder: Path, description: Mapping[str, Any], labels: int) -> list[float] | None:
    """Where a student ticks each of several labels; None in one of a single right label."""
    limits = description.get("thresholds")
    if limits is not None and not (
        isinstance(limits, list) and len(limits) == labels and all(isinstance(one, float) for one in limits)
    ):
        raise ArtifactError(f"{folder / DESCRIPTION}: field 'thresholds' is not a list of {labels} numbers")
    return limits
