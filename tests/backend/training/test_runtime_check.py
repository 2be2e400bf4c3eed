"""A fast way to run the encoder is used only while it leaves the labels as they are, and the project remembers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.pool import versions
from backend.settings import Settings
from backend.training.encoder import project_embedder, project_runtime, student_embedder
from backend.training.runtime_check import cached, passes
from model.arrays import FloatArray
from model.encoder.embeddings import EmbeddingCache, Encodes, key_of
from model.encoder.runtimes import preferred, sleeping
from model.labels import LabelSpace
from model.student.adapted import AdaptedEncoder, AdaptedStudent
from model.student.head import HeadStudent
from model.training.options import TrainingReport
from tests.support.toys import tiny_transformer
from tests.support.world import World

TEXTS = [f"text {number}" for number in range(300)]


def student(runtime: str, width: int = 384) -> HeadStudent:
    """Says `a` where the first dimension is larger than the second."""
    out = np.zeros((width, 2), np.float32)
    out[0, 0] = out[1, 1] = 1.0
    head: dict[str, FloatArray] = {"mean": np.zeros(width, np.float32), "scale": np.ones(1, np.float32), "out": out}
    head["out_bias"] = np.zeros(2, np.float32)
    return HeadStudent(LabelSpace.of(["a", "b"]), "default", [head], runtime=runtime)


def remember(folder: Path, encoder: Encodes, swapped: int) -> None:
    """Cached vectors of all texts that say `a`, but for the first `swapped` ones."""
    vectors = np.zeros((len(TEXTS), encoder.dimension), np.float16)
    vectors[:, 0] = 1.0
    vectors[:swapped, :2] = [0.0, 1.0]
    cache = EmbeddingCache(folder, encoder)
    cache._store([key_of(text) for text in TEXTS], vectors)


@pytest.mark.parametrize(("swapped", "good"), [(0, True), (1, True), (2, False)])
def test_more_than_one_label_in_two_hundred_is_too_many(tmp_path: Path, swapped: int, good: bool) -> None:
    settings = Settings(_env_file=None, DATA_DIR=tmp_path)
    remember(settings.cache_dir, sleeping("default", "bfloat16", settings.cache_dir), swapped)
    remember(settings.cache_dir, sleeping("default", "float32", settings.cache_dir), 0)
    report = TrainingReport("shortlist", "head", len(TEXTS), 0)
    assert passes(settings, student("bfloat16"), report, TEXTS) is good
    assert report.runtime["agreement"] == pytest.approx(1 - swapped / len(TEXTS))
    assert report.runtime["checked"] == len(TEXTS)
    assert report.to_json()["runtime"] == report.runtime


@pytest.mark.parametrize(("swapped", "good"), [(1, True), (2, False)])
def test_a_student_with_its_own_encoder_is_checked_on_that(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, swapped: int, good: bool
) -> None:
    settings = Settings(_env_file=None, DATA_DIR=tmp_path)
    weights = Path(tiny_transformer(tmp_path_factory.mktemp("weights"), ["text"]))
    for runtime, wrong in (("float32", 0), ("bfloat16", swapped)):
        remember(settings.cache_dir, AdaptedEncoder(weights, frozenset(), runtime).encoder, wrong)
    own = cached(settings, AdaptedEncoder(weights, frozenset(), "bfloat16"))
    report = TrainingReport("shortlist", "adapted", len(TEXTS), 0)
    assert passes(settings, AdaptedStudent(student("float32", own.encoder.dimension), own), report, TEXTS) is good
    assert report.runtime["agreement"] == pytest.approx(1 - swapped / len(TEXTS))
    assert own.runtime == "bfloat16", "the check changes nothing"


def test_float32_needs_no_check(tmp_path: Path) -> None:
    report = TrainingReport("shortlist", "head", 1, 0)
    assert passes(Settings(_env_file=None, DATA_DIR=tmp_path), student("float32"), report, TEXTS)
    assert report.runtime == {"encoder": "default", "name": "float32"}


def test_a_project_stays_with_the_way_of_its_newest_student(world: World) -> None:
    assert project_runtime(world.current) == preferred()
    settled = {"training": {"runtime": {"encoder": "default", "name": "int8", "refused": {"name": "bfloat16"}}}}
    versions.add(world.engine, 7, "student-1-aaaaaa", 1, "aaaaaa", settled, 3)
    assert project_runtime(world.current) == "int8"
    own = {"training": {"way": "adapted", "runtime": {}}}
    versions.add(world.engine, 7, "student-2-aaaaaa", 2, "aaaaaa", own, 3)
    assert project_runtime(world.current) == "int8", "all texts would be encoded once more"
    other = {"training": {"runtime": {"encoder": "another", "name": "int8"}}}
    versions.add(world.engine, 7, "student-3-aaaaaa", 3, "aaaaaa", other, 3)
    assert project_runtime(world.current) == preferred()


def test_a_student_is_never_shown_vectors_of_another_way(world: World) -> None:
    folder = world.services.settings.cache_dir
    remember(folder, sleeping("default", "bfloat16", folder), 300)
    remember(folder, sleeping("default", "float32", folder), 0)
    exact, fast = (student_embedder(world.services.settings, student(way))(TEXTS) for way in ("float32", "bfloat16"))
    assert (exact[:, 0] == 1.0).all()
    assert (fast[:, 1] == 1.0).all()
    expected = fast if preferred() == "bfloat16" else exact
    if preferred() != "int8":
        assert np.array_equal(project_embedder(world.current)(TEXTS), expected)
