"""The bundled encoder on real texts, and the cache over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model.arrays import FloatArray
from model.encoder.embeddings import CHUNK, SMALL, TOO_MANY, EmbeddingCache, key_of
from model.encoder.encoder import load_encoder
from model.errors import EncoderError

TEXTS = ["Where is my parcel?", "", "I want my money back", "ünïcödé 🎉 " * 400, "Where is my parcel?"]


def test_vectors_are_normalised_and_do_not_depend_on_their_neighbours() -> None:
    encoder = load_encoder()
    vectors = encoder.embed(TEXTS)
    assert vectors.shape == (5, encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = np.concatenate([encoder.embed([text]) for text in TEXTS])
    assert np.allclose(vectors, alone, atol=1e-5)
    assert vectors[0] @ encoder.embed(["My package has not arrived"])[0] > vectors[0] @ vectors[2]


def test_an_encoder_is_loaded_once_and_counts_its_texts() -> None:
    encoder = load_encoder()
    assert load_encoder() is encoder
    seen: list[tuple[int, int]] = []
    encoder.embed(["a", "b"], lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2, 2)
    assert encoder.embed([]).shape == (0, encoder.dimension)


def test_a_missing_encoder_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="STUDENT_ENCODER"):
        load_encoder(str(tmp_path / "nothing here"))


class Counting:
    """An encoder of three numbers per text that counts what it is asked for."""

    identity, dimension = "counting", 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], progress: object = None) -> FloatArray:
        self.asked += texts
        rows = np.array([[len(text) + 1, ord(text[0]), 1] for text in texts], np.float32)
        normalised: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return normalised


def test_the_cache_encodes_each_text_once_also_in_another_process(tmp_path: Path) -> None:
    encoder = Counting()
    first = EmbeddingCache(tmp_path, encoder)
    before = first.embed(["a", "bb", "a"])
    assert encoder.asked == ["a", "bb"]
    second = EmbeddingCache(tmp_path, encoder)
    progress: list[tuple[int, int]] = []
    after = second.embed(["bb", "a", "ccc"], lambda done, total: progress.append((done, total)))
    assert encoder.asked == ["a", "bb", "ccc"]
    assert np.array_equal(before[[1, 0]], after[:2])
    assert progress == [(2, 3), (3, 3)]
    assert np.array_equal(first.embed(["ccc"]), after[2:])
    assert len(encoder.asked) == 3


def test_small_shards_are_merged_and_readers_of_the_old_ones_live_on(tmp_path: Path) -> None:
    encoder = Counting()
    writer, reader = EmbeddingCache(tmp_path, encoder), EmbeddingCache(tmp_path, encoder)
    texts = [f"{number} text" for number in range(TOO_MANY + 3)]
    first = reader.embed(texts[:1])
    for text in texts:
        writer.embed([text])
    assert len(list((tmp_path / "counting").glob("*.keys.npy"))) < TOO_MANY < SMALL
    assert np.array_equal(reader.embed(texts[:1]), first)
    assert np.array_equal(EmbeddingCache(tmp_path, encoder).embed(texts), writer.embed(texts))
    assert len(encoder.asked) == len(texts)


def test_a_torn_shard_is_ignored(tmp_path: Path) -> None:
    encoder = Counting()
    cache = EmbeddingCache(tmp_path, encoder)
    cache.embed(["a", "b"])
    keys = next((tmp_path / "counting").glob("*.keys.npy"))
    np.save(keys, np.load(keys)[:1])
    again = EmbeddingCache(tmp_path, encoder)
    assert again.embed(["a", "b"]).shape == (2, 3)
    assert len(encoder.asked) == 4


def test_keys_survive_broken_unicode() -> None:
    assert len(key_of("\ud800")) == 16
    assert key_of("a") != key_of("b")


def test_two_that_fill_one_cache_share_the_work(tmp_path: Path) -> None:
    texts = [f"{number} text" for number in range(3 * CHUNK)]
    helper = Counting()

    class Interrupted(Counting):
        """While it encodes its first chunk, another process encodes a chunk from the middle on."""

        def embed(self, texts: Sequence[str], progress: object = None) -> FloatArray:
            if not self.asked:
                others = EmbeddingCache(tmp_path, helper)
                others.fill(every, begin=0.5, stop=lambda: bool(helper.asked))
            return super().embed(texts)

    every, encoder = texts, Interrupted()
    cache = EmbeddingCache(tmp_path, encoder)
    assert len(cache.missing([*texts, *texts])) == len(texts)
    cache.fill(texts)
    assert len(helper.asked) == CHUNK
    assert sorted(encoder.asked + helper.asked) == sorted(texts)
    assert not cache.missing(texts)
