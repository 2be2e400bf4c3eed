"""Encoders in exported form: the vectors of torch, kept for all projects, used where torch cannot be imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.encoder import export
from model.encoder.encoder import load_encoder
from model.encoder.export import share_encoder
from model.encoder.exported import MODEL, form_of, open_exported, shared_name
from model.errors import ArtifactError, EncoderError
from model.labels import LabelSpace
from model.registry import Registry
from model.student.adapted import AdaptedEncoder, AdaptedStudent, Carrying
from model.student.head import HeadStudent
from model.student.loading import load_student
from tests.support.encoders import small_encoder
from tests.support.programs import printed, refusing
from tests.support.toys import tiny_transformer

ROOT = Path(__file__).resolve().parents[3]
WORDS = ["cat", "dog", "bill", "bank", "pay", "fur"]
TEXTS = ["cat dog", "pay the bill", "", "fur " * 50, "bank"]
NO_TORCH = refusing("torch", "transformers", "onnx", "sklearn")


def without_torch(code: str, *arguments: object) -> Any:
    """What a Python without torch and transformers prints, as JSON."""
    return json.loads(printed(NO_TORCH + code, *arguments, cwd=ROOT).splitlines()[-1])


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a small encoder."""
    return tiny_transformer(tmp_path_factory.mktemp("tiny"), WORDS, layers=1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is exported to, once for this file."""
    return tmp_path_factory.mktemp("cache")


def head(labels: int = 3) -> dict[str, Any]:
    """Weights of a head on 32 dimensions."""
    random = np.random.default_rng(0)
    weights = {"mean": np.zeros(32, np.float32), "scale": np.ones(1, np.float32) * 3}
    out = random.normal(size=(32, labels)).astype(np.float32)
    return {**weights, "out": out, "out_bias": np.zeros(labels, np.float32)}


SPACE = LabelSpace.of(["a", "b", "c"])
ANSWERS = """
import json
from pathlib import Path
from model.registry import Registry
from model.encoder.exported import open_exported, shared_name
from model.student.loading import load_student

student = load_student(Path(sys.argv[1]))
embed = None
if student.kind == "head":
    registry = Registry(sys.argv[2], Path(sys.argv[3]))
    embed = open_exported(registry.shared(shared_name(student.encoder, "float32"))).embed
print(json.dumps(student.probabilities(json.loads(sys.argv[4]), embed).tolist()))
"""


@pytest.mark.parametrize("place", ["folder", "remote"])
def test_the_registry_keeps_it_once_and_replaces_it_with_other_weights(
    encoder: str, cache: Path, tmp_path: Path, place: str
) -> None:
    url = str(tmp_path / "versions") if place == "folder" else f"memory://{tmp_path.name}/versions"
    registry, elsewhere = Registry(url, tmp_path / "here"), Registry(url, tmp_path / "there")
    name = shared_name(encoder, "float32")
    with pytest.raises(ArtifactError):
        elsewhere.shared(name)
    share_encoder(registry, encoder, "bfloat16", cache)
    found = open_exported(elsewhere.shared(name))
    assert np.allclose(found.embed(TEXTS), load_encoder(encoder).embed(TEXTS), atol=1e-5)
    assert found.identity == f"{load_encoder(encoder).identity}-onnx"
    written = (elsewhere.shared(name) / MODEL).stat().st_mtime_ns
    share_encoder(registry, encoder, "bfloat16", cache)
    assert (elsewhere.shared(name) / MODEL).stat().st_mtime_ns == written
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "encoder.json").write_text("{}")
    registry.share(name, changed)
    assert not (elsewhere.shared(name) / MODEL).exists()
    share_encoder(registry, encoder, "bfloat16", cache)
    assert open_exported(elsewhere.shared(name)).identity == found.identity
    assert registry.versions(7) == []


def test_a_head_student_answers_where_torch_is_missing(encoder: str, cache: Path, tmp_path: Path) -> None:
    registry = Registry(str(tmp_path / "versions"), tmp_path / "cache")
    share_encoder(registry, encoder, "float32", cache)
    student = HeadStudent(SPACE, encoder, [head()], 1.3)
    student.save(tmp_path / "student")
    answers = without_torch(ANSWERS, tmp_path / "student", tmp_path / "versions", tmp_path / "there", json.dumps(TEXTS))
    assert np.allclose(answers, student.probabilities(TEXTS), atol=1e-4)


def test_a_student_with_an_encoder_of_its_own_brings_the_exported_form(encoder: str, tmp_path: Path) -> None:
    student = AdaptedStudent(HeadStudent(SPACE, "default", [head()]), AdaptedEncoder(Path(encoder), frozenset()))
    student.save(tmp_path / "plain")
    Carrying(student, student.own.trained).save(tmp_path / "student")
    answers = without_torch(ANSWERS, tmp_path / "student", "", "", json.dumps(TEXTS))
    assert np.allclose(answers, student.probabilities(TEXTS), atol=1e-4)
    again = load_student(tmp_path / "student")
    assert isinstance(again, AdaptedStudent)
    again.save(tmp_path / "next")  # the next version on the same encoder need not export it again
    assert (tmp_path / "next" / MODEL).read_bytes() == (tmp_path / "student" / MODEL).read_bytes()


def test_what_is_missing_is_said_with_the_setting_that_helps(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="SHARE_ENCODER=true"):
        open_exported(tmp_path)
    HeadStudent(SPACE, "default", [head()]).save(tmp_path)
    description = json.loads((tmp_path / "student.json").read_text())
    (tmp_path / "student.json").write_text(json.dumps({**description, "kind": "finetune"}))
    code = """
import json
from pathlib import Path
from model.errors import ModelError
from model.encoder.runtimes import open_encoder, preferred
from model.student.loading import load_student

said = [preferred()]
for act in (lambda: load_student(Path(sys.argv[1])), lambda: open_encoder("default")):
    try:
        act()
    except ModelError as error:
        said.append(str(error))
print(json.dumps(said))
"""
    runtime, student, encoder = without_torch(code, tmp_path)
    assert runtime == "float32"
    assert "'finetune' needs the package torch" in student
    assert "needs torch here" in encoder


def test_int8_students_are_served_by_int8() -> None:
    assert [form_of(runtime) for runtime in ("float32", "bfloat16", "int8")] == ["float32", "float32", "int8"]
    assert shared_name("default", "int8") != shared_name("default", "float32")


def test_of_two_processes_that_export_at_the_same_moment_the_first_is_right(tmp_path: Path) -> None:
    place = tmp_path / "place"
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        small_encoder(tmp_path / name)
        export.put(tmp_path / name, place)
    assert open_exported(place).dimension == 2
    assert not (tmp_path / "first").exists()


def test_an_export_that_cannot_be_put_into_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "waiting").mkdir()
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "something else").touch()
    with pytest.raises(OSError, match="not empty"):
        export.put(tmp_path / "waiting", tmp_path / "place")
