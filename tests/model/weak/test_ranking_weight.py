"""How much grades count beside the cosine: nothing unless queries that were not learned from show that it helps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from model.arrays import FloatArray
from model.labels import LabelSpace
from model.pair_views import RELATION, PairView, likeness
from model.pairs import Pair
from model.ranking import blended
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.ranking_weight import WEIGHTS, ranking_view

PAIR = Pair(("query", "document"), ("query: ", "document: "), query=0)
SPACE = LabelSpace.of(["irrelevant", "relevant"])
OPTIONS = TrainingOptions(pair=PAIR)
VIEW = PairView(PAIR, RELATION)


def embed(texts: Sequence[str]) -> FloatArray:
    """Unit vectors: noise by the number in a text, and in the first direction whether it is `good`."""
    rows = np.array([np.random.default_rng(int(text.split()[1])).normal(size=16) for text in texts])
    rows[:, 0] = [6.0 if text.startswith("good") else 0.0 for text in texts]
    found: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def searched(right: float, queries: int = 30, human: bool = True) -> TrainingData:
    """Eight documents of each query; `right` is the share of them whose label says whether it is a good one."""
    random, texts, relevant = np.random.default_rng(0), [], []
    for query in range(queries):
        for number in range(8):
            good = number < 3
            texts.append(f"query: about {1000 + query}\n\ndocument: {'good' if good else 'bad'} {8 * query + number}")
            relevant.append(good if random.random() < right else bool(random.integers(2)))
    labels = np.array(relevant, np.int64)
    sets = np.eye(2, dtype=np.bool_)[labels]
    return TrainingData(texts, sets, np.full(len(texts), human), None, sets, labels)


@pytest.mark.parametrize(("human", "judge"), [(True, "people"), (False, "the teacher")])
def test_grades_count_where_they_rank_better_than_the_cosine(human: bool, judge: str) -> None:
    view, found = ranking_view(SPACE, searched(1.0, human=human), OPTIONS, VIEW, embed)
    assert view.weight == max(WEIGHTS)  # the cosine knows nothing of what is asked
    assert found["judged_by"] == judge
    assert found["queries"] == 30


def test_words_count_where_they_rank_better_than_the_cosine() -> None:
    """Three of eight documents have the query's word, and are the relevant ones; vectors know nothing of it."""
    texts = [
        f"query: about {query} Name{query}\n\ndocument: bad {99 + 8 * query + row} {f'name{query}' if row < 3 else 'x'}"
        for query in range(30)
        for row in range(8)
    ]
    labels = np.array([row < 3 for _ in range(30) for row in range(8)], np.int64)
    sets = np.eye(2, dtype=np.bool_)[labels]
    data = TrainingData(texts, sets, np.ones(len(texts), np.bool_), None, sets, labels)
    view, found = ranking_view(SPACE, data, OPTIONS, VIEW, embed)
    assert view.words == max(WEIGHTS)
    assert found["words"] == view.words
    assert PairView.from_json(view.to_json()) == view
    plain = likeness(dataclasses.replace(view, words=0.0), texts[:8], embed)
    assert np.all(likeness(view, texts[:8], embed)[:3] > plain[:3])
    assert np.array_equal(likeness(view, texts[:8], embed)[3:], plain[3:])


def test_labels_of_which_nothing_can_be_learned_leave_the_cosine_alone() -> None:
    view, found = ranking_view(SPACE, searched(0.0), OPTIONS, VIEW, embed)
    assert view == VIEW
    assert found["judged_by"] == "people"


def test_few_queries_judge_nothing_and_pairs_without_a_query_are_not_ranked() -> None:
    assert ranking_view(SPACE, searched(1.0, 12), OPTIONS, VIEW, embed)[1] == {
        "weight": 0.0,
        "words": 0.0,
        "judged_by": "nobody yet",
    }
    alone = PairView(dataclasses.replace(PAIR, query=None), RELATION)
    assert ranking_view(SPACE, searched(1.0), OPTIONS, alone, embed) == (alone, {})


def test_the_best_grade_may_be_named_first() -> None:
    data = searched(1.0)
    turned = TrainingData(
        data.texts, data.candidates[:, ::-1], data.human, None, data.teacher_sets[:, ::-1], 1 - data.first
    )
    view, _ = ranking_view(SPACE, turned, dataclasses.replace(OPTIONS, falling=True), VIEW, embed)
    assert view.falling
    assert view.weight == max(WEIGHTS)
    scores = blended(view, np.zeros(2, np.float32), np.array([[0.9, 0.1], [0.1, 0.9]], np.float32))
    assert scores[0] > scores[1]
    assert PairView.from_json(view.to_json()) == view
