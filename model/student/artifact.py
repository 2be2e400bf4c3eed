"""A stored student: safetensors + JSON + model card in one folder. Nothing is ever unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from model.arrays import FloatArray
from model.errors import ArtifactError, LabelSpaceError
from model.labels import LabelSpace

WEIGHTS = "student.safetensors"
DESCRIPTION = "student.json"
CARD = "README.md"
CROSS, CROSS_WEIGHTS = "cross.json", "cross.safetensors"  # of a cross-encoder beside the student
FORMAT = 1


class Describable(Protocol):
    """What every student can say about itself."""

    space: LabelSpace
    kind: str
    encoder: str
    temperature: float


def write_artifact(
    folder: Path, student: Describable, tensors: Mapping[str, FloatArray], more: Mapping[str, object]
) -> None:
    """Write weights, description and card of a student into `folder` (made if missing); ArtifactError says why not."""
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    description = {
        "format": FORMAT,
        "kind": student.kind,
        "encoder": student.encoder,
        "temperature": student.temperature,
        "label_space": student.space.to_json(),
        **more,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if tensors:
            save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, folder / WEIGHTS)
        (folder / DESCRIPTION).write_text(json.dumps(description, ensure_ascii=False, indent=1))
        (folder / CARD).write_text(card_text(student, {}))
    except SafetensorError as error:  # how a full disk looks from there
        raise ArtifactError(f"the student cannot be written to {folder}: {error}") from OSError(str(error))
    except OSError as error:
        raise ArtifactError(f"the student cannot be written to {folder}: {error}") from error


def card_text(student: Describable, facts: Mapping[str, object]) -> str:
    """The model card: what the student is, on what it was trained, how it is loaded."""
    labels = ", ".join(student.space.names)
    lines = [
        "# A student of Shortlist",
        "",
        f"A text classifier over {len(student.space)} labels ({labels}).",
        "",
        f"- kind: {student.kind}",
        f"- encoder: {student.encoder}",
        f"- label space: {student.space.hash}",
        f"- temperature: {student.temperature:.4f}",
        *(f"- {name}: {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in facts.items()),
        "",
        "Load it with `model.loading.load_version(folder)`; `probabilities(texts)` gives one row per text.",
        "It learned from a teacher's candidate sets and people's labels and repeats their mistakes where it could not"
        " tell them from the truth.",
        "",
    ]
    return "\n".join(lines)


def read_description(folder: Path) -> dict[str, Any]:
    """The description of a stored student; ArtifactError names file and field."""
    path = folder / DESCRIPTION
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: is not JSON ({error})") from error
    for field, kind in (
        ("format", int),
        ("kind", str),
        ("encoder", str),
        ("temperature", float),
        ("label_space", dict),
    ):
        if not isinstance(content, dict) or not isinstance(content.get(field), kind):
            raise ArtifactError(f"{path}: field {field!r} is missing or not {kind.__name__}")
    if content["format"] != FORMAT:
        raise ArtifactError(f"{path}: field 'format' is {content['format']}, this release reads {FORMAT}")
    return dict(content)


def read_space(folder: Path, description: Mapping[str, Any]) -> LabelSpace:
    """The label space of a description; ArtifactError names the field."""
    try:
        return LabelSpace.from_json(description["label_space"])
    except LabelSpaceError as error:
        raise ArtifactError(f"{folder / DESCRIPTION}: field 'label_space': {error}") from error


def read_tensors(folder: Path) -> dict[str, FloatArray]:
    """The weights of a stored student; ArtifactError names the file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / WEIGHTS
    try:
        return dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error})") from error
