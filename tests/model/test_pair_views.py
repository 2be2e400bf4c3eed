"""What a student sees of two texts, and that it learns a relation that the texts alone do not give away."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model.arrays import Embed, FloatArray
from model.errors import ArtifactError
from model.labels import LabelSpace
from model.pair_views import BESIDE, COSINE, DIRECTED, FEATURES, JOINED, LONGEST, OVERLAP, RELATION, PairView
from model.pairs import Pair
from model.student.head import HeadStudent
from model.student.loading import load_student
from model.text_groups import text_groups
from model.train import TrainingData, TrainingOptions, train_student
from model.training import small_pools
from model.word_overlap import COLUMNS, in_common

PAIR = Pair(("a", "b"), ("a: ", "b: "))
SPACE = LabelSpace.of(["other", "same"])
FAST = TrainingOptions(epochs=12, hidden=32, way="head", pair=PAIR)


class Pairs:
    """Pairs of texts of six topics, `same` where the topics are: no text alone tells it. Counts what is embedded."""

    def __init__(self, rows: int = 300, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self._centres = random.normal(size=(6, 16))
        left = random.integers(6, size=rows)
        self.same = random.random(rows) < 0.5
        right = np.where(self.same, left, (left + random.integers(1, 6, size=rows)) % 6)
        self.texts = [
            f"a: {one} {row}\n\nb: {other} {row + 1}" for row, (one, other) in enumerate(zip(left, right, strict=True))
        ]
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> FloatArray:
        self.embedded += texts
        rows = []
        for text in texts:
            words = text.removeprefix("a: ").split()
            noise = np.random.default_rng(int(words[1])).normal(size=16)
            rows.append(self._centres[int(words[0])] + 0.3 * noise)
        found = np.array(rows)
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    def data(self, human: int) -> TrainingData:
        sets = np.eye(2, dtype=np.bool_)[self.same.astype(int)]
        decided = np.arange(len(self.texts)) < human
        return TrainingData(self.texts, sets, decided, None, sets, self.same.astype(np.int64))


def test_which_of_two_texts_is_better_is_learned_beside_a_teacher_that_always_says_the_first() -> None:
    pairs = Pairs(500)
    worth = np.array([[int(part.split()[1]) for part in text.split("\n\n")] for text in pairs.texts])
    kept = np.flatnonzero(worth[:, 0] != worth[:, 1])
    second = (worth[:, 1] > worth[:, 0])[kept].astype(np.int64)
    decided = np.arange(len(kept)) < 150
    said = np.eye(2, dtype=np.bool_)[np.zeros(len(kept), np.int64)]
    sets = np.where(decided[:, None], np.eye(2, dtype=np.bool_)[second], said)
    data = TrainingData([pairs.texts[row] for row in kept], sets, decided, None, said, np.zeros(len(kept), np.int64))
    sided = dataclasses.replace(PAIR, sided=True)
    space = LabelSpace.of(["left", "right"])
    student, _ = train_student(space, data, TrainingOptions(way="head", pair=sided), pairs.embed)
    view = getattr(student, "view", None)
    assert view is not None
    assert view.features not in (COSINE, RELATION)  # they are the same where the two change places
    assert PairView.from_json(json.loads(json.dumps(view.to_json()))) == view
    found = student.probabilities(data.texts, pairs.embed).argmax(1)
    assert (found == second)[~decided].mean() > 0.75


@pytest.mark.parametrize("features", [RELATION, BESIDE, RELATION + OVERLAP])
def test_the_order_of_a_symmetric_pair_is_not_seen(features: str) -> None:
    view = PairView(dataclasses.replace(PAIR, symmetric=True), features)
    pairs = Pairs(4)
    turned = ["a: {1}\n\nb: {0}".format(*PAIR.parts(text)) for text in pairs.texts]
    seen = view.embed(pairs.embed)
    assert np.allclose(seen(pairs.texts), seen(turned), atol=1e-6)
    asymmetric = PairView(PAIR, DIRECTED).embed(pairs.embed)
    assert not np.allclose(asymmetric(pairs.texts), asymmetric(turned), atol=1e-3)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("features", FEATURES)
def test_features_are_followed_by_a_key_of_length_one(features: str, symmetric: bool) -> None:
    pairs = Pairs(9)
    plain = PairView(dataclasses.replace(PAIR, symmetric=symmetric), features)
    keyed = plain.with_key()
    embed = pairs.embed if features != JOINED else _joined
    seen = keyed.embed(embed)(pairs.texts)
    found, key = keyed.parted(seen)
    assert np.array_equal(found, plain.embed(embed)(pairs.texts))
    assert PairView.from_json(json.loads(json.dumps(keyed.to_json()))) == keyed
    assert keyed.with_key(False) == plain
    if features == JOINED:
        assert key is None
        return
    assert key is not None
    assert np.array_equal(key, PairView(plain.pair, BESIDE).embed(pairs.embed)(pairs.texts))
    assert np.linalg.norm(key, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_no_features_are_longer_than_a_memory_allows_for() -> None:
    words = " ".join(chr(0x4E00 + number) for number in range(5_000))
    texts = [f"a: {one}\n\nb: {other}" for one, other in ((words, ""), ("x", "x"), (words, words[::-1]))]
    for same in (1.0, -1.0):  # both texts have one vector, or opposite ones
        vectors = np.array([[1.0], [same]], np.float32)
        for features in FEATURES:
            if features != JOINED:
                seen = PairView(PAIR, features).embed(lambda some, both=vectors: np.resize(both, (len(some), 1)))(texts)
                assert np.linalg.norm(seen, axis=1).max() <= LONGEST


@pytest.mark.parametrize("loud", [False, True])
def test_a_small_pool_of_pairs_is_remembered_whatever_answers_others(loud: bool, tmp_path: Path) -> None:
    pairs, fresh = Pairs(400), Pairs(200, seed=7)
    fresh._centres = pairs._centres
    for some in (pairs, fresh) if loud else ():
        _without_words(some)
    embed = _loud(pairs) if loud else pairs.embed  # where most of a vector is noise the cosine tells little
    data = pairs.data(200)
    data.candidates[:20] = data.candidates[:20, ::-1]  # people see what no relation tells
    student, report = train_student(SPACE, data, TrainingOptions(pair=PAIR), embed)
    assert isinstance(student, HeadStudent)
    assert student.view is not None
    assert student.view.keyed
    assert student.view.features == (RELATION if loud else COSINE) + OVERLAP
    assert ("joined_by_networks" if loud else "joins_networks") in report.found["linear_head"]  # type: ignore[operator]
    assert (student.probabilities(fresh.texts, embed).argmax(1) == fresh.same).mean() > 0.75
    own = student.probabilities(pairs.texts, embed).argmax(1)
    assert np.array_equal(own[:200], data.candidates[:200].argmax(1))
    student.save(tmp_path)
    assert np.array_equal(load_student(tmp_path).probabilities(pairs.texts, embed).argmax(1), own)


def _loud(pairs: Pairs) -> Embed:
    """An encoder by whose vectors the topic is a small part."""

    def embed(texts: Sequence[str]) -> FloatArray:
        noise = np.stack([np.random.default_rng(int(text.split()[-1])).normal(size=4) for text in texts])
        found = np.hstack([pairs.embed(texts), 1.2 * noise])
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    return embed


def _without_words(pairs: Pairs) -> None:
    """Let a topic have a hundred names, so that no words tell whether two texts have the same."""
    numbers = iter(np.random.default_rng(5).integers(100, size=2 * len(pairs.texts)))
    pairs._centres = np.tile(pairs._centres[:6], (100, 1))
    pairs.texts = [
        re.sub(r": (\d+)", lambda found: f": {int(found[1]) + 6 * next(numbers)}", text) for text in pairs.texts
    ]


def test_a_pool_of_pairs_that_is_not_small_is_answered_by_networks_without_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pairs = Pairs(60)
    monkeypatch.setattr(small_pools, "SMALL_OF_PAIRS", 60)
    student, report = train_student(SPACE, pairs.data(0), TrainingOptions(pair=PAIR), pairs.embed)
    assert isinstance(student, HeadStudent)
    assert student.view is not None
    assert not student.view.keyed
    assert "linear_head" not in report.found


def test_equal_texts_have_no_distance_and_each_text_is_embedded_once() -> None:
    pairs = Pairs(2)
    rows = PairView(PAIR, RELATION).embed(pairs.embed)(["a: 1 5\n\nb: 1 5", "a: 1 5\n\nb: 2 9"])
    assert sorted(pairs.embedded) == ["1 5", "2 9"]
    assert np.allclose(rows[0, :16], 0.0)
    assert rows[0, -1] == pytest.approx(rows[:, -1].max())


def test_a_relation_that_only_words_tell_is_learned() -> None:
    pairs = Pairs(300)
    random = np.random.default_rng(3)
    same = pairs.same.astype(np.int64)
    numbers = random.integers(1000, 9999, size=(300, 2))
    texts = [
        f"a: 1 paid {one}\n\nb: {one if alike else two} was sent"
        for alike, (one, two) in zip(same, numbers, strict=True)
    ]
    data = TrainingData(texts, np.eye(2, dtype=np.bool_)[same], np.arange(300) < 200)
    student, report = train_student(SPACE, data, dataclasses.replace(FAST, method="gold"), _blind)
    assert report.pair["features"].endswith(OVERLAP)
    assert (student.probabilities(texts, _blind).argmax(1) == same).mean() > 0.95


def _blind(texts: Sequence[str]) -> FloatArray:
    """An encoder that finds all texts about equal."""
    found = 1 + 0.1 * np.random.default_rng(0).normal(size=(len(texts), 16))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def test_what_texts_have_in_common_is_a_share_of_each() -> None:
    rows = in_common([("the cat sat", "The CAT sat"), ("one", ""), ("a b", "a b c d")])
    assert rows.shape == (3, COLUMNS)
    shares = rows[:, :-1].reshape(3, 2, -1)
    assert np.all(shares[0, :, :-1] == 1.0)
    assert np.all(shares[0, :, -1] == 0.0)
    assert np.all(shares[1, :, :-1] == 0.0)
    assert shares[2, 0, 0] == 1.0
    assert shares[2, 1, 0] == 0.5
    assert rows[:, -1].tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("human", [0, 120])
def test_a_relation_is_learned_and_stored_with_the_student(human: int, tmp_path: Path) -> None:
    pairs, fresh = Pairs(), Pairs(200, seed=7)
    fresh._centres = pairs._centres
    student, report = train_student(SPACE, pairs.data(human), FAST, pairs.embed)
    assert report.pair["judged_by"] == ("people and the teacher" if human else "the teacher")
    assert report.pair["features"] != JOINED
    answers = student.probabilities(fresh.texts, fresh.embed)
    assert (answers.argmax(1) == fresh.same).mean() > 0.9
    student.save(tmp_path)
    assert np.array_equal(load_student(tmp_path).probabilities(fresh.texts, fresh.embed), answers)


def test_texts_that_are_parts_of_one_are_seen_as_they_stand_together() -> None:
    pairs = Pairs(400)
    topics = np.array([int(text.split()[1]) % 2 for text in pairs.texts])  # what the joined vector tells best
    pairs.embed = _joined  # type: ignore[method-assign]
    data = TrainingData(pairs.texts, np.eye(2, dtype=np.bool_)[topics], np.ones(400, np.bool_))
    _, report = train_student(SPACE, data, dataclasses.replace(FAST, method="gold"), pairs.embed)
    assert report.pair["features"] == JOINED


def _joined(texts: Sequence[str]) -> FloatArray:
    """Only what stands together tells the topic."""
    random = np.random.default_rng(1)
    rows = random.normal(size=(len(texts), 16))
    for row, text in enumerate(texts):
        if text.startswith("a: "):
            rows[row, 0] = 9.0 * (int(text.split()[1]) % 2) - 4.5
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("change", [{"features": "new"}, {"marks": None}, {"sides": [0, 5]}])
def test_a_student_whose_features_are_unknown_is_not_loaded(change: dict[str, object], tmp_path: Path) -> None:
    pairs = Pairs(60)
    student, _ = train_student(SPACE, pairs.data(0), FAST, pairs.embed)
    student.save(tmp_path)
    stored = json.loads((tmp_path / "student.json").read_text())
    assert stored["pair"]["features"] in FEATURES
    stored["pair"] |= change
    (tmp_path / "student.json").write_text(json.dumps(stored))
    with pytest.raises(ArtifactError, match=r"pairs by|two texts"):
        load_student(tmp_path)


def test_a_query_is_one_group_and_a_symmetric_pair_is_the_same_turned() -> None:
    texts = ["a: q1\n\nb: x", "a: Q1 \n\nb: y", "a: q2\n\nb: x", "a: x\n\nb: q2"]
    assert text_groups(texts, None, dataclasses.replace(PAIR, query=0)).tolist() == [0, 0, 2, 3]
    assert text_groups(texts, None, PAIR).tolist() == [0, 1, 2, 3]
    assert text_groups(texts, None, dataclasses.replace(PAIR, symmetric=True)).tolist() == [0, 1, 2, 2]
