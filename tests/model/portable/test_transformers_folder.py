"""An exported student answers through transformers alone what it answers here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from model.arrays import FloatArray
from model.decoding import NEVER, ticked
from model.encoder.encoder import load_encoder
from model.encoder.onnx_graph import export_graph
from model.errors import ArtifactError
from model.groups import Group, GroupKind, When
from model.labels import Label, LabelSpace
from model.pair_views import COSINE, DIFFERENCE, DIRECTED, JOINED, OVERLAP, RELATION, PairView, likeness
from model.pairs import Pair
from model.portable import onnx_folder
from model.portable.onnx_folder import write_onnx
from model.portable.transformers_folder import write_portable
from model.ranking import blended
from model.student.adapted import AdaptedEncoder, AdaptedStudent
from model.student.finetuned import FinetunedStudent, Network
from model.student.head import HeadStudent
from model.student.student import Student
from model.word_overlap import COLUMNS
from tests.support.programs import printed, refusing
from tests.support.toys import tiny_transformer

SPACE = LabelSpace.of(["money", "parcel", "login"])
TEXTS = ["refund my invoice", "late parcel", "password"]
NOTHING_OF_OURS = refusing("model", "backend")
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


@pytest.fixture(scope="module")
def encoder_graphs() -> Iterator[None]:
    """The graph of the same encoder alone is exported once: it takes four seconds, and ends before every head."""
    known: dict[tuple[object, ...], Any] = {}

    def export(module: Any, tokenizer: Any, *outputs: str) -> Any:
        if outputs != ("vectors",):
            return export_graph(module, tokenizer, *outputs)
        used = {name: tensor for name, tensor in module.state_dict().items() if "pooler" not in name}  # drawn anew
        weights = tuple((name, tensor.numpy().tobytes()) for name, tensor in sorted(used.items()))
        if weights not in known:
            known[weights] = export_graph(module, tokenizer, *outputs)
        return known[weights]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_folder, "export_graph", export)
        yield


def heads(encoder: str, width: int = 32, view: PairView | None = None) -> HeadStudent:
    """Two heads, one with a hidden layer."""
    random = np.random.default_rng(0)

    def some(*shape: int) -> FloatArray:
        return random.normal(size=shape).astype(np.float32)

    plain = {"mean": some(width) / 9, "scale": some(width), "out": some(width, 3), "out_bias": some(3)}
    deep = {"hidden": some(width, 8), "hidden_bias": some(8), "out": some(8, 3), "out_bias": some(3)}
    return HeadStudent(SPACE, encoder, [plain, {**plain, **deep}], temperature=1.7, view=view)


def several(encoder: str) -> HeadStudent:
    """The same where any of the labels may be right, and at least one is."""
    student = heads(encoder)
    student.space = LabelSpace(SPACE.labels, answer="several")
    student.temperature, student.thresholds = 1.0, np.array([0.9, 0.2, 0.95], np.float32)
    return student


def levels(encoder: str) -> HeadStudent:
    """The same where labels are levels in order; the likeliest is often not the median."""
    student = heads(encoder)
    student.space, student.temperature = LabelSpace(SPACE.labels, answer="ordered"), 3.0
    return student


def questions(encoder: str) -> HeadStudent:
    """Heads of five questions: one label, levels, several labels, one that depends on another, one left open."""
    sizes: tuple[tuple[str, GroupKind, int], ...] = (
        ("topic", "one", 3), ("how much", "ordered", 4), ("flags", "any", 3), ("why", "one", 2), ("left", "any", 2)
    )  # fmt: skip
    names = [f"{name}={number}" for name, _, size in sizes for number in range(size)]
    groups: list[Group] = []
    for name, kind, size in sizes:
        start = groups[-1].stop if groups else 0
        when = (When(("topic=0", "topic=1")),) if name == "why" else ()
        groups.append(Group(name, kind, start, start + size, 0 if kind == "any" else 1, when))
    space = LabelSpace(tuple(map(Label, names)), answer="several", questions=tuple(groups))
    student, random = heads(encoder), np.random.default_rng(1)
    for head in student.heads:
        head["out"] = random.normal(size=(len(head["out"]), len(space))).astype(np.float32)
        head["out_bias"] = random.normal(size=len(space)).astype(np.float32)
    student.space, student.thresholds = space, np.full(len(space), 0.5, np.float32)
    student.thresholds[-2:] = NEVER
    student.temperature = 1.0
    return student


def served(student: Student) -> list[list[str]]:
    """What Shortlist would answer to each text, the likeliest first."""
    space, shares = student.space, student.probabilities(TEXTS)
    meant = ticked(space, shares, getattr(student, "thresholds", None))
    names = [label for part in space.parts for label in part.names]
    return [
        [names[place] for place in np.argsort(-row, kind="stable") if one[place]]
        for row, one in zip(shares, meant, strict=True)
    ]


def finetuned(encoder: str) -> FinetunedStudent:
    """A fresh classifier on the encoder."""
    loaded = load_encoder(encoder)
    torch.manual_seed(0)
    return FinetunedStudent(SPACE, encoder, loaded.tokenizer, Network(loaded.pooled, 3, 0.0), loaded.longest, 0.8)


def adapted(encoder: str, width: int = 32, view: PairView | None = None) -> AdaptedStudent:
    """The heads on an encoder of their own."""
    return AdaptedStudent(heads("default", width, view), AdaptedEncoder(Path(encoder), frozenset()))


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
    said = printed(NOTHING_OF_OURS + PROGRAM, json.dumps(TEXTS), *students, cwd=tmp_path, forked=True)
    answers = json.loads(said.splitlines()[-1])
    for place, rows in answers.items():
        found = [[{row["label"]: row["score"] for row in one}[name] for name in SPACE.names] for one in rows]
        assert np.allclose(found, students[place].probabilities(TEXTS), atol=1e-4), place


ANSWERS = """
import json, sys
from transformers import pipeline
texts = json.loads(sys.argv[1])
classify = pipeline("text-classification", model=sys.argv[2], trust_remote_code=True)
print(json.dumps([classify(texts), [classify(text) for text in texts], classify(texts[0], top_k=None)]))
"""


@pytest.mark.parametrize("make", [several, levels, questions])
def test_transformers_answers_by_what_the_question_asks(
    make: Callable[[str], HeadStudent], tiny: str, tmp_path: Path
) -> None:
    student = make(tiny)
    student.save(tmp_path / "stored")
    write_portable(tmp_path / "stored", tmp_path / "portable", {"version": "student-1"}, 'say "hello"')
    said = printed(NOTHING_OF_OURS + ANSWERS, json.dumps(TEXTS), tmp_path / "portable", cwd=tmp_path, forked=True)
    found, alone, whole = json.loads(said.splitlines()[-1])
    assert [[row["label"] for row in rows] for rows in found] == served(student)
    assert alone == found
    assert sorted(row["score"] for row in whole) == pytest.approx(sorted(student.probabilities(TEXTS)[0]), abs=1e-4)


ALONE = (
    refusing("torch", "transformers", "model", "backend", "onnx", "sklearn")
    + """
import json, sys
sys.path.append(sys.argv[1])
from classify import classify, labels, probabilities
texts = json.loads(sys.argv[2])
answers = [classify(text) for text in texts]
print(json.dumps([labels, probabilities(texts).tolist(), classify(texts[0], top_k=2), answers]))
"""
)


@pytest.mark.parametrize("make", [heads, finetuned, several, levels, questions])
def test_onnx_runtime_and_a_tokenizer_alone_give_the_same_answers(make: object, tiny: str, tmp_path: Path) -> None:
    assert callable(make)
    student: Student = make(tiny)
    stored, folder = tmp_path / "stored", tmp_path / "portable"
    student.save(stored)
    write_onnx(stored, folder, {"version": "student-1"}, 'say "hello"')
    assert {path.name for path in folder.iterdir()} == {
        "model.onnx", "tokenizer.json", "labels.json", "usage.json", "heads.npz", "classify.py", "answering.py",
        "word_overlap.py", "README.md",
    }  # fmt: skip
    texts = [*TEXTS, "", "late " * 200]
    names, found, best, answers = json.loads(printed(ALONE, folder, json.dumps(texts), cwd=tmp_path))
    wanted = student.probabilities(texts)
    assert names == list(student.space.names)
    assert np.allclose(found, wanted, atol=1e-4)
    answers = [[row["label"] for row in rows] for rows in answers]
    assert answers[: len(TEXTS)] == served(student)
    assert [row["label"] for row in best][: len(answers[0])] == answers[0][:2]
    assert len(best) == 2
    assert "library_name: onnx" in (folder / "README.md").read_text()
    with pytest.raises(ArtifactError, match="not empty"):
        write_onnx(stored, folder, {}, "")


PAIRS = """
from classify import ranked
import json, sys
pairs = json.loads(sys.argv[2])
found = [probabilities(pairs).tolist(), classify(tuple(pairs[0]))[0]["label"], classify(pairs[0])[0]["label"]]
given = json.loads(sys.argv[3])
order = [row["document"] for row in ranked(given, [pair[1] for pair in pairs] if given else pairs)]
print(json.dumps([*found, [one if given else one[1] for one in order]]))
"""


@pytest.mark.parametrize(
    ("features", "symmetric", "make", "shown", "keyed"),
    [
        (RELATION, False, heads, True, False),
        (DIRECTED, False, heads, False, True),
        (DIRECTED, True, heads, True, True),
        (RELATION + OVERLAP, True, heads, False, False),
        (COSINE + OVERLAP, False, heads, True, True),
        (COSINE, False, adapted, True, True),
        (DIFFERENCE, False, heads, False, True),
    ],
)
@pytest.mark.usefixtures("encoder_graphs")
def test_a_student_of_pairs_answers_and_ranks_alone(
    features: str, symmetric: bool, make: Callable[..., Any], shown: bool, keyed: bool, tiny: str, tmp_path: Path
) -> None:
    query, group = (0, "") if shown else (None, "topic")
    pair = Pair(("query", "document"), ("query: ", "document: "), symmetric=symmetric, query=query, group=group)
    view = PairView(pair, features, weight=0.3, falling=True, words=0.3).with_key(keyed)
    width = {RELATION: 65, COSINE: 1, DIFFERENCE: 32}.get(features.removesuffix(OVERLAP), 97 if symmetric else 129)
    width += COLUMNS * features.endswith(OVERLAP) + 64 * keyed
    student = make(tiny, width, view)
    student.save(tmp_path / "stored")
    with pytest.raises(ArtifactError, match="--format onnx"):
        write_portable(tmp_path / "stored", tmp_path / "refused", {}, "")
    example = write_onnx(tmp_path / "stored", tmp_path / "portable", {"version": "student-1"}, "")
    assert '("the first text", "the second text")' in (tmp_path / "portable" / "README.md").read_text()
    assert "second text" in example
    graph = onnx.load(tmp_path / "portable" / "model.onnx").graph
    assert [output.name for output in graph.output] == ["vectors"], "what answers are the heads beside it"
    pairs = [["parcel", "late parcel"], ["parcel", "password"], ["parcel", "late " * 200], ["parcel", ""]]
    texts = [f"query: {one}\n\ndocument: {other}" for one, other in pairs]
    program = ALONE.rpartition("texts = ")[0] + PAIRS
    asked = (json.dumps(pairs), json.dumps("parcel" if shown else None))
    found, *best, order = json.loads(printed(program, tmp_path / "portable", *asked, cwd=tmp_path))
    wanted = student.probabilities(texts)
    assert np.allclose(found, wanted, atol=1e-4)
    assert best == [SPACE.names[wanted[0].argmax()]] * 2
    embed = student.own.embed if isinstance(student, AdaptedStudent) else load_encoder(tiny).embed
    scores = blended(view, likeness(view, texts, embed), wanted)
    assert order == [pairs[place][1] for place in np.argsort(-scores, kind="stable")]


@pytest.mark.parametrize("write", [write_portable, write_onnx])
def test_a_student_that_reads_pairs_as_one_text_is_written_as_others_are(
    write: Callable[..., str], tiny: str, tmp_path: Path
) -> None:
    student = heads(tiny)
    student.view = PairView(Pair(("a", "b"), ("a: ", "b: ")), JOINED)
    student.save(tmp_path / "joined")
    write(tmp_path / "joined", tmp_path / "whole", {}, "")
    assert "the first text" not in (tmp_path / "whole" / "README.md").read_text()
