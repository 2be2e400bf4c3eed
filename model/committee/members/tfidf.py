"""A member that reads words: TF-IDF and logistic regression, stored as JSON and safetensors. Nothing is pickled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.arrays import FloatArray, IntArray, softmax
from model.errors import ArtifactError, LabelSpaceError, NotEnoughDataError
from model.labels import LabelSpace

WEIGHTS, DESCRIPTION = "words.safetensors", "words.json"
MOST_WORDS = 50_000
LEAST_SHARE = 0.1  # of a row's target: smaller shares are no training rows


class WordsMember:
    """Word and word-pair counts through a linear layer. An unlike sister to members on embeddings: different errors."""

    trainable = True

    def __init__(self, name: str, space: LabelSpace, vocabulary: dict[str, int], arrays: dict[str, FloatArray]) -> None:
        """`arrays`: `idf` `(V,)`, `weights` `(V, C)`, `bias` `(C,)`."""
        self.name, self.space = name, space
        self._vocabulary, self._arrays = vocabulary, arrays

    @classmethod
    def fit(
        cls, name: str, space: LabelSpace, texts: Sequence[str], targets: FloatArray, corpus: Sequence[str] = ()
    ) -> WordsMember:
        """Train on target distributions `(n, C)`. NotEnoughDataError with fewer than two labels in them.

        `corpus` are unlabelled texts (the pool) from which words and their rarity are learnt as well.
        """
        counter = vectorizer(None)
        inputs = counter.fit([*texts, *corpus]).transform(texts)
        vocabulary = {str(word): int(place) for word, place in counter.vocabulary_.items()}
        weights, bias = fitted_layer(inputs, targets)
        arrays = {"idf": counter.idf_.astype(np.float32), "weights": weights, "bias": bias}
        return cls(name, space, vocabulary, arrays)

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Float32 `(n, C)`."""
        reader = vectorizer(self._vocabulary)
        reader.idf_ = self._arrays["idf"].astype(np.float64)
        logits = reader.transform(texts) @ self._arrays["weights"] + self._arrays["bias"]
        return softmax(np.asarray(logits, dtype=np.float32))

    def save(self, folder: Path) -> None:
        """Write words.json and words.safetensors."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        words = sorted(self._vocabulary, key=self._vocabulary.__getitem__)
        content = {"format": 1, "name": self.name, "label_space": self.space.to_json(), "words": words}
        (folder / DESCRIPTION).write_text(json.dumps(content, ensure_ascii=False))
        save_file({key: np.ascontiguousarray(array) for key, array in self._arrays.items()}, folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> WordsMember:
        """The inverse of `save`; ArtifactError names the file and what is wrong with it."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            content: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
            vocabulary = {word: place for place, word in enumerate(content["words"])}
            space, name = LabelSpace.from_json(content["label_space"]), str(content["name"])
        except (OSError, ValueError, KeyError, TypeError, LabelSpaceError) as error:
            raise ArtifactError(f"{folder / DESCRIPTION}: not a stored member ({error!r})") from error
        try:
            arrays = dict(load_file(folder / WEIGHTS))
        except (OSError, SafetensorError) as error:
            raise ArtifactError(f"{folder / WEIGHTS}: cannot be read ({error})") from error
        _check(folder, arrays, len(vocabulary), len(space))
        return cls(name, space, vocabulary, arrays)


def vectorizer(vocabulary: dict[str, int] | None) -> Any:
    """A reader of words and word pairs, TF-IDF."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        max_features=MOST_WORDS,
        vocabulary=vocabulary,
        token_pattern=r"(?u)\b\w+\b|[?!]",
    )


def fitted_layer(inputs: Any, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights `(V, C)` and bias `(C,)` of a linear layer on sparse inputs `(n, V)` with target distributions `(n, C)`.

    NotEnoughDataError with fewer than two labels in the targets.
    """
    from sklearn.linear_model import LogisticRegression

    rows, labels = np.nonzero(targets > LEAST_SHARE)
    if len(np.unique(labels)) < 2:
        raise NotEnoughDataError("all tasks have the same label; at least two are needed to learn")
    fitted = LogisticRegression(C=10.0, max_iter=60, tol=1e-2).fit(
        inputs[rows], labels, sample_weight=targets[rows, labels]
    )
    return _columns(fitted, inputs.shape[1], targets.shape[1])


def _columns(fitted: Any, width: int, labels: int) -> tuple[FloatArray, FloatArray]:
    """Weights and bias with a column for every label of the space; labels without rows get a very low bias."""
    known: IntArray = fitted.classes_
    weights, bias = np.zeros((width, labels), np.float32), np.full(labels, -20.0, np.float32)
    coefficients, offsets = fitted.coef_, fitted.intercept_
    if len(known) == 2:  # one row of coefficients: the log-odds of the second
        coefficients, offsets = (
            np.concatenate([-coefficients, coefficients]) / 2,
            np.array([-offsets[0], offsets[0]]) / 2,
        )
    weights[:, known] = coefficients.T
    bias[known] = offsets
    return weights, bias


def _check(folder: Path, arrays: dict[str, FloatArray], words: int, labels: int) -> None:
    for name, shape in (("idf", (words,)), ("weights", (words, labels)), ("bias", (labels,))):
        if name not in arrays or arrays[name].shape != shape:
            raise ArtifactError(f"{folder / WEIGHTS}: tensor {name!r} is missing or not of shape {shape}")
