"""Ways to rank the documents of a query: signals beside the encoder's cosine, learned on other queries or not at all.

A signal has values for the train rows, by models that have not seen their queries (five folds), and for the test rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch

from benchmarks.pairs.material import Material, Rows
from benchmarks.shared.linear_student import fit
from model.arrays import Doubles, Embed, FloatArray, IntArray
from model.pair_views import both, overlaps, pair_features
from model.ranking import expected_grades
from model.text_groups import folds
from model.training.adaptation import cosent_loss

FOLDS = 5
SENTENCES = 12  # of a document, at most
STEPS, RANK, RATE = 100, 32, 1e-3  # of the linear map
Both: TypeAlias = tuple[Doubles, Doubles]  # of the train and of the test rows
Taught: TypeAlias = Callable[[int, IntArray], Doubles]  # part (0 train, 1 test) and rows: values


class Ways:
    """Signals of a search set, by name."""

    def __init__(self, material: Material, embed: Embed) -> None:
        self.parts: tuple[Rows, Rows] = (material.train, material.test)
        self._pair, self._embed = material.pair, embed
        self._labels = len(material.space)
        self._vectors = [both(material.pair, rows.texts, embed) for rows in self.parts]
        self._features = [pair_features(*vectors) for vectors in self._vectors]
        self._known = [material.features(rows.texts, embed) for rows in self.parts]
        self._fold_of = folds(material.train.queries, FOLDS, 0)

    def cosine(self) -> Both:
        """Of the encoder: what everything is compared with."""
        train, test = ((left * right).sum(1).astype(np.float64) for left, right in self._vectors)
        return train, test

    def words(self) -> Both:
        """The share of the query's words, by length: what the product may add."""
        train, test = (overlaps(self._pair, rows.texts).astype(np.float64) for rows in self.parts)
        return train, test

    def tfidf(self) -> Both:
        """The cosine of TF-IDF vectors of both texts."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        seen = [[self._pair.parts(text) for text in rows.texts] for rows in self.parts]
        words = TfidfVectorizer(sublinear_tf=True).fit(sorted({part for parts in seen[0] for part in parts}))
        train, test = (
            np.asarray(
                words.transform([a for a, _ in one]).multiply(words.transform([b for _, b in one])).sum(1)
            ).ravel()
            for one in seen
        )
        return train, test

    def bm25(self) -> Both:
        """Okapi BM25 with the usual k = 1.2 and b = 0.75, documents of the train part being the collection."""
        from sklearn.feature_extraction.text import CountVectorizer

        seen = [[self._pair.parts(text) for text in rows.texts] for rows in self.parts]
        documents = sorted({document for _, document in seen[0]})
        words = CountVectorizer().fit(documents)
        counts = words.transform(documents)
        frequency = np.asarray((counts > 0).sum(0)).ravel()
        rarity = np.log(1 + (len(documents) - frequency + 0.5) / (frequency + 0.5))
        usual, found = counts.sum(1).mean(), []
        for one in seen:
            asked, said = (words.transform([pair[side] for pair in one]) for side in (0, 1))
            lengths = np.asarray(said.sum(1)).ravel()
            said = (asked > 0).multiply(said).tocoo()
            worth = said.data * 2.2 / (said.data + 1.2 * (0.25 + 0.75 * lengths[said.row] / usual)) * rarity[said.col]
            found.append(np.bincount(said.row, worth, len(one)).astype(np.float64))
        return found[0], found[1]

    def best_sentence(self) -> Both:
        """The cosine of the query and the sentence of the document that is most like it."""
        asked = self._pair.query or 0
        found = []
        for rows, vectors in zip(self.parts, self._vectors, strict=True):
            texts = [sentences(self._pair.parts(text)[1 - asked]) for text in rows.texts]
            place = {text: row for row, text in enumerate(dict.fromkeys(text for one in texts for text in one))}
            known = self._embed(list(place))
            every = ([place[text] for text in one] for one in texts)
            found.append(
                np.array([(known[one] @ query).max() for one, query in zip(every, vectors[asked], strict=True)])
            )
        return found[0].astype(np.float64), found[1].astype(np.float64)

    def grades(self) -> Both:
        """The expected grade of a linear head on the relation of both vectors, and on words and letters."""

        def teach(rows: IntArray) -> Taught:
            student = fit(self._known[0][rows], np.eye(self._labels, dtype=np.float32)[self.parts[0].gold[rows]])
            return lambda part, some: expected_grades(student(self._known[part][some])).astype(np.float64)

        return self._unseen(teach)

    def within_queries(self) -> Both:
        """Ridge regression of grades on the relation, both less their mean in each query."""
        seen, grades = (centred(one, self.parts[0].queries) for one in (self._features[0], self.parts[0].gold))

        def teach(rows: IntArray) -> Taught:
            square = seen[rows].T @ seen[rows]
            square += 10 * np.trace(square) / len(square) * np.eye(len(square))
            weights = np.linalg.solve(square, seen[rows].T @ grades[rows])
            return lambda part, some: self._features[part][some] @ weights

        return self._unseen(teach)

    def linear_map(self) -> Both:
        """The cosine after low-rank linear maps of both vectors that CoSENT teaches within queries."""
        return self._unseen(self._mapped)

    def _mapped(self, rows: IntArray) -> Taught:
        torch.manual_seed(0)
        grades, width = torch.from_numpy(self.parts[0].gold), self._features[0].shape[1] // 2
        down = [torch.nn.Parameter(torch.randn(width, RANK) * 0.02) for _ in range(2)]
        up = [torch.nn.Parameter(torch.zeros(RANK, width)) for _ in range(2)]
        mover, random = torch.optim.AdamW([*down, *up], lr=RATE), np.random.default_rng(0)

        def alike(part: int, some: IntArray) -> torch.Tensor:
            moved = (
                torch.nn.functional.normalize(one + one @ a @ b, dim=1)
                for one, a, b in zip(
                    (torch.from_numpy(side[some]) for side in self._vectors[part]), down, up, strict=True
                )
            )
            left, right = moved
            return (left * right).sum(1)

        queries = [rows[self.parts[0].queries[rows] == query] for query in np.unique(self.parts[0].queries[rows])]
        for _ in range(STEPS):
            some = [queries[place] for place in random.choice(len(queries), 8, replace=False)]
            loss = torch.stack([cosent_loss(alike(0, one), grades[one]) for one in some]).mean()
            mover.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            mover.step()
        return lambda part, some: alike(part, some).detach().numpy().astype(np.float64)

    def _unseen(self, teach: Callable[[IntArray], Taught]) -> Both:
        """By a model of the other folds each, and of all train rows for the test rows."""
        train = np.zeros(len(self.parts[0]))
        for fold in range(FOLDS):
            held = np.flatnonzero(self._fold_of == fold)
            train[held] = teach(np.flatnonzero(self._fold_of != fold))(0, held)
        return train, teach(np.arange(len(train)))(1, np.arange(len(self.parts[1])))


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text that have more than a few letters; the text, if there are none."""
    found = [part.strip() for part in re.split(r"\n|(?<=[.?!])\s+", text)]
    return [part for part in found if len(part) > 15][:SENTENCES] or [text]


def centred(values: Doubles | FloatArray | IntArray, queries: IntArray) -> Doubles:
    """Less the mean of each query."""
    found: Doubles = np.array(values, np.float64)
    for query in np.unique(queries):
        found[queries == query] -= found[queries == query].mean(0)
    return found


def scaled(values: Doubles, queries: IntArray) -> Doubles:
    """By mean and spread of each query (z-scores)."""
    found: Doubles = centred(values, queries)
    for query in np.unique(queries):
        found[queries == query] /= found[queries == query].std() + 1e-9
    return found


def fused(values: Doubles, queries: IntArray) -> Doubles:
    """The reciprocal of 60 and the rank in each query (Cormack et al., 2009)."""
    found = np.zeros(len(values))
    for query in np.unique(queries):
        rows = np.flatnonzero(queries == query)
        found[rows[np.argsort(-values[rows], kind="stable")]] = 1 / (61 + np.arange(len(rows)))
    return found
