"""The product's student on pairs beside rivals that learn from the same labels, and the teacher's single answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.pairs.figures import figures, ranks
from benchmarks.pairs.material import Material, Rows
from benchmarks.pairs.noise import wrong_at_times
from model.arrays import Embed, FloatArray, IntArray
from model.labels import CandidateSet, HumanLabel
from model.pair_views import likeness
from model.pairs import Pair
from model.ranking import blended
from model.train import train_student, training_data
from model.training.data import TrainingData
from model.training.options import TrainingOptions

PEOPLE = {"teacher and 5 % people": 0.05, "all gold": 1.0}


def compared(material: Material, embed: Embed, seed: int) -> Iterator[dict[str, object]]:
    """Rows of every method with few and with all labels of people."""
    train, test, labels = material.train, material.test, len(material.space)
    random = np.random.default_rng(seed)
    said, told = (wrong_at_times(rows.gold, labels, random) for rows in (train, test))
    beside = (said + random.integers(1, labels, size=len(said))) % labels
    for budget, share in PEOPLE.items():
        human = random.random(len(train)) < share
        known = np.where(human, train.gold, said)
        ours, scores = _ours(material, said, beside, human, embed, seed)
        said_by = {
            "ours": ours,
            "TF-IDF pair features": _tfidf(material.pair, train, known, test, labels),
            "cosine": _cosine(material, known, embed, labels),
            "the teacher's answers": np.eye(labels, dtype=np.float32)[told],
        }
        for method, shares in said_by.items():
            found = figures(material, test, shares)
            by = {"ours": scores, "cosine": material.alike(test.texts, embed)}
            if method in by and material.task == "search":
                found |= ranks(material, test, by[method])
            for metric, value in found.items():
                yield {"dataset": material.name, "split": "in domain", "task": material.task, "method": method,
                       "budget": budget, "seed": seed, "metric": metric, "value": value}  # fmt: skip


def answers_of_student(material: Material, embed: Embed, seed: int = 0) -> FloatArray:
    """Probabilities for the test part, once all of the train part is labelled by people."""
    random, labels = np.random.default_rng(seed), len(material.space)
    said = wrong_at_times(material.train.gold, labels, random)
    beside = (said + random.integers(1, labels, size=len(said))) % labels
    return _ours(material, said, beside, np.ones(len(said), np.bool_), embed, seed)[0]


def _ours(
    material: Material, said: IntArray, beside: IntArray, human: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    embed: Embed, seed: int,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Probabilities, and what ranks documents."""
    names, train = material.space.names, material.train
    sets = [CandidateSet((names[one], names[two]), (0.75, 0.25)) for one, two in zip(said, beside, strict=True)]
    decided = [HumanLabel((names[gold],)) if mine else None for gold, mine in zip(train.gold, human, strict=True)]
    data = training_data(material.space, train.texts, sets, decided, [1.0 if mine else None for mine in human])
    return answers(material, material.test, data, embed, seed)


def answers(
    material: Material, test: Rows, data: TrainingData, embed: Embed, seed: int
) -> tuple[FloatArray, FloatArray]:
    """What the product's student that learned `data` says of the test rows: probabilities, and what ranks them."""
    student, _ = train_student(material.space, data, TrainingOptions(seed=seed, pair=material.pair), embed)
    shares = student.probabilities(test.texts, embed)
    view = getattr(student, "view", None)
    return shares, shares[:, 0] if view is None else blended(view, likeness(view, test.texts, embed), shares)


def _tfidf(pair: Pair, train: Rows, known: IntArray, test: Rows, labels: int) -> FloatArray:
    """Logistic regression on difference and product of TF-IDF vectors."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    words.fit([part for text in train.texts for part in pair.parts(text)])

    def seen(texts: Sequence[str]) -> object:
        left, right = (words.transform([pair.parts(text)[side] for text in texts]) for side in (0, 1))
        return hstack([abs(left - right), left.multiply(right)]).tocsr()

    return _regression(seen(train.texts), known, seen(test.texts), labels, 10.0)


def _cosine(material: Material, known: IntArray, embed: Embed, labels: int) -> FloatArray:
    """The encoder's cosine with borders between labels, found by a regression on it and its square."""
    parts = [material.alike(rows.texts, embed) for rows in (material.train, material.test)]
    train, test = (np.stack([alike, alike**2], axis=1) for alike in parts)
    return _regression(train, known, test, labels, 1e4)


def _regression(train: object, known: IntArray, test: object, labels: int, weight: float) -> FloatArray:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=weight, max_iter=300).fit(train, known)
    shares = np.zeros((test.shape[0], labels), np.float32)  # type: ignore[attr-defined]
    shares[:, model.classes_] = model.predict_proba(test)
    return shares
