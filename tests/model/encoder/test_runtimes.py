"""Ways to run an encoder: close to float32, told apart by their identity, and refused where labels change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.training.runtime_check import agreement
from model.encoder import runtimes
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.encoder.runtimes import Sleeping, open_encoder, preferred, sleeping
from model.errors import EncoderError
from model.labels import LabelSpace
from model.student.head import HeadStudent
from model.student.loading import load_student
from tests.support.guard import run_folder

TEXTS = ["I was charged twice", "where is my parcel?", "", "a much longer text about an invoice that came late " * 20]


@pytest.fixture
def folder() -> Path:
    """Where int8 is exported to, once for all tests of the run."""
    return run_folder()


@pytest.mark.parametrize(("runtime", "least"), [("bfloat16", 0.999), ("int8", 0.97)])
def test_vectors_are_near_those_of_float32(folder: Path, runtime: str, least: float) -> None:
    exact, fast = load_encoder(), open_encoder("default", runtime, folder)
    vectors = fast.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
    assert (vectors * exact.embed(TEXTS)).sum(1).min() > least
    others = [*TEXTS[::-1], "a text of many more words than the others have, which stands beside them " * 5]
    near = 1e-6 if runtime == "int8" else 0.05
    assert np.allclose(fast.embed(others)[-2::-1], vectors, atol=near)  # whatever stands beside a text
    assert fast.identity == f"{exact.identity}-{runtime}"


def test_vectors_of_two_ways_are_never_mixed(tmp_path: Path) -> None:
    exact, fast = load_encoder(), open_encoder("default", "bfloat16")
    by_exact = EmbeddingCache(tmp_path, exact).embed(TEXTS)
    by_fast = EmbeddingCache(tmp_path, fast).embed(TEXTS)
    assert not np.array_equal(by_exact, by_fast)
    assert np.array_equal(EmbeddingCache(tmp_path, exact).embed(TEXTS), by_exact)


def test_an_encoder_sleeps_while_everything_is_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sleeping("default", "bfloat16", tmp_path)
    vectors = EmbeddingCache(tmp_path, first).embed(TEXTS)
    again = sleeping("default", "bfloat16", tmp_path)
    assert isinstance(again, Sleeping)
    woken: list[str] = []
    monkeypatch.setattr(again, "_wake", lambda: woken.append("woken") or first)
    cache = EmbeddingCache(tmp_path, again)
    assert np.array_equal(cache.embed(TEXTS), vectors)
    assert not woken
    cache.embed(["a new text"])
    assert woken


def test_agreement_is_the_share_of_equal_labels() -> None:
    space = LabelSpace.of(["a", "b"])
    head = {"mean": np.zeros(2, np.float32), "scale": np.ones(1, np.float32)}
    head |= {"out": np.eye(2, dtype=np.float32), "out_bias": np.zeros(2, np.float32)}
    student = HeadStudent(space, "default", [head])
    exact = np.array([[1, 0], [0, 1], [1, 0.9], [1, 0]], np.float32)
    rough = np.array([[1, 0], [0, 1], [0.9, 1], [1, 0]], np.float32)
    assert agreement(student, ["x"] * 4, lambda _: rough, lambda _: exact) == 0.75
    assert agreement(student, [], lambda _: rough, lambda _: exact) == 1.0


def test_a_student_keeps_the_way_it_was_trained_on(tmp_path: Path) -> None:
    space = LabelSpace.of(["a", "b"])
    head = {"mean": np.zeros(3, np.float32), "scale": np.ones(1, np.float32)}
    head |= {"out": np.ones((3, 2), np.float32), "out_bias": np.zeros(2, np.float32)}
    HeadStudent(space, "default", [head], runtime="int8").save(tmp_path)
    assert getattr(load_student(tmp_path), "runtime", None) == "int8"


def test_the_processor_decides(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nflags : fpu sse avx2\n")
    assert not runtimes._native_bfloat16(info)
    info.write_text("processor : 0\nflags : fpu avx2 avx512_bf16 amx_tile\n")
    assert runtimes._native_bfloat16(info)
    assert not runtimes._native_bfloat16(tmp_path / "nothing")
    assert preferred() in runtimes.RUNTIMES


def test_an_unknown_way_is_refused_by_its_setting() -> None:
    with pytest.raises(EncoderError, match="STUDENT_RUNTIME='int4' is unknown"):
        open_encoder("default", "int4")
