"""An exported student answers through transformers alone what it answers here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from model.arrays import FloatArray
from model.encoder.encoder import load_encoder
from model.errors import ArtifactError
from model.labels import LabelSpace
from model.pair_views import JOINED, RELATION, PairView
from model.pairs import Pair
from model.portable.onnx_folder import write_onnx
from model.portable.transformers_folder import write_portable
from model.student.adapted import AdaptedEncoder, AdaptedStudent
from model.student.finetuned import FinetunedStudent, Network
from model.student.head import HeadStudent
from model.student.student import Student
from tests.support.programs import printed, refusing
from tests.support.toys import tiny_transformer

SPACE = LabelSpace.of(["money", "parcel", "login"])
TEXTS = ["refund my invoice", "late parcel", "password"]
PROGRAM = """
import json, sys
from transformers import pipeline
from transformers.utils import logging
logging.set_verbosity_error(); logging.disable_progress_bar()
texts, answers = json.loads(sys.argv[1]), {}
for folder in sys.argv[2:]:
    classify = pipeline("text-classification", model=folder, trust_remote_code=True)
    answers[folder] = classify(texts, top_k=None)
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a small encoder."""
    return tiny_transformer(tmp_path_factory.mktemp("tiny"), " ".join(TEXTS).split(), layers=1)


def heads(encoder: str) -> HeadStudent:
    """Two heads, one with a hidden layer."""
    random = np.random.default_rng(0)

    def some(*shape: int) -> FloatArray:
        return random.normal(size=shape).astype(np.float32)

    plain = {"mean": some(32) / 9, "scale": some(32), "out": some(32, 3), "out_bias": some(3)}
    deep = {"hidden": some(32, 8), "hidden_bias": some(8), "out": some(8, 3), "out_bias": some(3)}
    return HeadStudent(SPACE, encoder, [plain, {**plain, **deep}], temperature=1.7)


def finetuned(encoder: str) -> FinetunedStudent:
    """A fresh classifier on the encoder."""
    loaded = load_encoder(encoder)
    torch.manual_seed(0)
    return FinetunedStudent(SPACE, encoder, loaded.tokenizer, Network(loaded.pooled, 3, 0.0), loaded.longest, 0.8)


def adapted(encoder: str) -> AdaptedStudent:
    """The heads on an encoder of their own."""
    return AdaptedStudent(heads("default"), AdaptedEncoder(Path(encoder), frozenset()))


def test_transformers_alone_gives_the_same_answers(tiny: str, tmp_path: Path) -> None:
    students: dict[str, Student] = {}
    for make in (heads, finetuned, adapted):
        student: Student = make(tiny)
        stored, folder = tmp_path / f"stored-{make.__name__}", tmp_path / make.__name__
        student.save(stored)
        write_portable(stored, folder, {"version": "student-1"}, 'say "hello"')
        assert len({path.stat().st_mode for path in folder.iterdir()}) == 1  # whoever may read one may read all
        students[str(folder)] = student
        assert "pipeline_tag: text-classification" in (folder / "README.md").read_text()
        with pytest.raises(ArtifactError, match="not empty"):
            write_portable(stored, folder, {}, "")
    answers = json.loads(printed(PROGRAM, json.dumps(TEXTS), *students, cwd=tmp_path).splitlines()[-1])
    for place, rows in answers.items():
        found = [[{row["label"]: row["score"] for row in one}[name] for name in SPACE.names] for one in rows]
        assert np.allclose(found, students[place].probabilities(TEXTS), atol=1e-4), place


ALONE = (
    refusing("torch", "transformers", "model", "backend", "onnx", "sklearn")
    + """
import json, sys
sys.path.append(sys.argv[1])
from classify import classify, labels, probabilities
texts = json.loads(sys.argv[2])
print(json.dumps([labels, probabilities(texts).tolist(), classify(texts[0], top_k=2)]))
"""
)


@pytest.mark.parametrize("make", [heads, finetuned])
def test_onnx_runtime_and_a_tokenizer_alone_give_the_same_answers(make: object, tiny: str, tmp_path: Path) -> None:
    assert callable(make)
    student: Student = make(tiny)
    stored, folder = tmp_path / "stored", tmp_path / "portable"
    student.save(stored)
    write_onnx(stored, folder, {"version": "student-1"}, 'say "hello"')
    assert {path.name for path in folder.iterdir()} == {
        "model.onnx", "tokenizer.json", "labels.json", "usage.json", "heads.npz", "classify.py", "README.md"
    }  # fmt: skip
    texts = [*TEXTS, "", "late " * 200]
    names, found, best = json.loads(printed(ALONE, folder, json.dumps(texts), cwd=tmp_path))
    wanted = student.probabilities(texts)
    assert names == list(SPACE.names)
    assert np.allclose(found, wanted, atol=1e-4)
    assert [row["label"] for row in best] == [SPACE.names[place] for place in np.argsort(-wanted[0])[:2]]
    assert "library_name: onnx" in (folder / "README.md").read_text()
    with pytest.raises(ArtifactError, match="not empty"):
        write_onnx(stored, folder, {}, "")


@pytest.mark.parametrize("write", [write_portable, write_onnx])
def test_a_student_that_sees_pairs_is_refused_and_one_that_reads_them_as_one_text_is_not(
    write: Callable[..., None], tiny: str, tmp_path: Path
) -> None:
    student, pair = heads(tiny), Pair(("a", "b"), ("a: ", "b: "))
    student.view = PairView(pair, RELATION)
    student.save(tmp_path / "pairs")
    with pytest.raises(ArtifactError, match="a student of pairs"):
        write(tmp_path / "pairs", tmp_path / "refused", {}, "")
    student.view = PairView(pair, JOINED)
    student.save(tmp_path / "joined")
    write(tmp_path / "joined", tmp_path / "whole", {}, "")
    assert (tmp_path / "whole" / "README.md").is_file()
