"""A scikit-learn pipeline of others as a member: stored with skops, read only if it holds nothing but known types.

A pickle runs whatever its author wrote. A skops file names its types in `schema.json`; every one of them is looked at
before anything is loaded, and only what a linear model on word counts needs is accepted.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.arrays import FloatArray, softmax
from model.committee.members.label_map import LabelMap
from model.committee.members.origin import read_origin, write_origin
from model.errors import ArtifactError
from model.labels import LabelSpace

ENDING = ".skops"
MODEL, DESCRIPTION = "pipeline.skops", "pipeline.json"
LARGEST = 2**30  # bytes of all parts of a file, unpacked
COUNTERS = ("CountVectorizer", "TfidfVectorizer", "TfidfTransformer")
CLASSIFIERS = ("LogisticRegression", "LinearSVC")
OBJECTS = frozenset(
    {
        "sklearn.pipeline.Pipeline",
        *(f"sklearn.feature_extraction.text.{name}" for name in COUNTERS),
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.svm._classes.LinearSVC",
    }
)
PLAIN = frozenset(f"builtins.{name}" for name in ("dict", "list", "tuple", "set", "str", "int", "float", "bool"))
NUMBERS = frozenset(f"numpy.{name}" for name in ("ndarray", "float32", "float64", "int32", "int64", "bool", "str_"))
SPARSE = frozenset({"scipy.sparse._csr.csr_matrix", "scipy.sparse._csr.csr_array", "scipy.sparse._dia.dia_matrix"})
ALLOWED: dict[str, frozenset[str]] = {  # which types each kind of node may name
    "ObjectNode": OBJECTS,
    "DictNode": PLAIN,
    "ListNode": PLAIN,
    "TupleNode": PLAIN,
    "SetNode": PLAIN,
    "JsonNode": PLAIN,
    "TypeNode": PLAIN | NUMBERS,
    "NdArrayNode": NUMBERS,
    "SparseMatrixNode": SPARSE,
}


class PipelineMember:
    """Word counts and a linear classifier that others trained. It votes, but is never trained by us."""

    trainable = False

    def __init__(self, name: str, space: LabelSpace, place: str, targets: Mapping[str, str | None]) -> None:
        """Check and load it. ArtifactError says what is not accepted in it, LabelSpaceError what the map lacks."""
        self.name, self.space, self.place = name, space, place
        self._bytes, self._pipeline = read_pipeline(Path(place))
        classes = tuple(str(label) for label in self._pipeline.classes_)
        self.map = LabelMap(space, classes, targets)

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Float32 `(n, C)`, zeros where its best label is mapped to null."""
        if not texts:
            return np.zeros((0, len(self.space)), np.float32)
        if hasattr(self._pipeline, "predict_proba"):
            found = np.asarray(self._pipeline.predict_proba(list(texts)), np.float32)
        else:
            margins = np.asarray(self._pipeline.decision_function(list(texts)), np.float32)
            found = softmax(np.stack([-margins / 2, margins / 2], axis=1) if margins.ndim == 1 else margins)
        return self.map.apply(found)

    def save(self, folder: Path) -> None:
        """Write the file as it was read, and the map."""
        write_origin(folder / DESCRIPTION, self.name, self.place, self.map)
        (folder / MODEL).write_bytes(self._bytes)

    @classmethod
    def load(cls, folder: Path) -> PipelineMember:
        """The inverse of `save`, with all checks; ArtifactError names the file."""
        with read_origin(folder / DESCRIPTION) as origin:
            member = cls(*origin._replace(place=str(folder / MODEL)))
            member.place = origin.place
            return member


def read_pipeline(path: Path) -> tuple[bytes, Any]:
    """The bytes of a skops file and the pipeline in it; ArtifactError if it is not a linear model on word counts."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            schema = json.loads(archive.read("schema.json")) if size <= LARGEST else None
        content = path.read_bytes()
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, RecursionError) as error:
        raise ArtifactError(f"{path}: no pipeline stored with skops ({error!r})") from error
    if schema is None:
        raise ArtifactError(f"{path}: larger than {LARGEST // 2**20} MB unpacked")
    strange = sorted(set(foreign(schema)))
    if strange:
        raise ArtifactError(
            f"{path}: holds {', '.join(strange[:5])}; accepted are pipelines of {', '.join(COUNTERS)} and "
            f"{', '.join(CLASSIFIERS)} with plain settings"
        )
    return content, _loaded(path, content)


def foreign(node: Any) -> Iterator[str]:
    """Types in a schema that are not accepted, as `kind of node: type`. Every part of the schema is looked at."""
    if isinstance(node, dict):
        if "__loader__" in node or "__class__" in node or "__module__" in node:
            kind, name = str(node.get("__loader__")), f"{node.get('__module__')}.{node.get('__class__')}"
            if name not in ALLOWED.get(kind, frozenset()):
                yield f"{kind}: {name}"
        for part in node.values():
            yield from foreign(part)
    elif isinstance(node, list):
        for part in node:
            yield from foreign(part)


def _loaded(path: Path, content: bytes) -> Any:
    """The pipeline; its steps are checked once more."""
    from sklearn.pipeline import Pipeline
    from skops.io import loads

    try:
        found = loads(content, trusted=[])
    except Exception as error:  # whatever skops and scikit-learn raise for a broken or a newer file
        raise ArtifactError(f"{path}: cannot be loaded ({type(error).__name__}: {str(error)[:200]})") from error
    steps = [type(step).__name__ for _, step in found.steps] if isinstance(found, Pipeline) else []
    if len(steps) < 2 or steps[-1] not in CLASSIFIERS or any(step not in COUNTERS for step in steps[:-1]):
        raise ArtifactError(f"{path}: is no pipeline of {', '.join(COUNTERS)} and {', '.join(CLASSIFIERS)}")
    return found
