"""scikit-learn pipelines of others: linear models on word counts vote; whatever else a file holds is never loaded."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.committee.committee import Committee
from model.committee.members.classifier import open_existing
from model.committee.members.sklearn_pipeline import PipelineMember, foreign, read_pipeline
from model.errors import ArtifactError, LabelSpaceError
from model.labels import LabelSpace

SPACE = LabelSpace.of(["sport", "money", "other"])
TEXTS = ["the team won the cup", "a goal for the team", "bank shares fell", "the market and the bank", "rain today"] * 4
LABELS = ["S", "S", "M", "M", "O"] * 4
MAP = {"S": "sport", "M": "money", "O": None}


def fitted(classifier: Any, texts: list[str] = TEXTS, labels: list[str] = LABELS, **settings: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    return make_pipeline(TfidfVectorizer(**settings), classifier).fit(texts, labels)


def linear(name: str) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    return {"LogisticRegression": LogisticRegression, "LinearSVC": LinearSVC}[name]()


def dump(pipeline: Any, path: Path) -> None:
    from skops import io as skops  # takes three seconds, in each process that collects tests

    skops.dump(pipeline, path)


@pytest.mark.parametrize("name", ["LogisticRegression", "LinearSVC"])
def test_a_linear_pipeline_votes_as_it_did_and_comes_back_with_the_committee(tmp_path: Path, name: str) -> None:
    pipeline = fitted(linear(name), ngram_range=(1, 2), sublinear_tf=True, stop_words=["a"])
    path = tmp_path / "tickets.skops"
    dump(pipeline, path)
    member = open_existing("tickets", SPACE, str(path), MAP)
    assert isinstance(member, PipelineMember)
    found = member.probabilities(TEXTS[:5])
    assert found.argmax(axis=1).tolist()[:4] == [0, 0, 1, 1]
    np.testing.assert_allclose(found.sum(axis=1), [1, 1, 1, 1, 0], atol=1e-5)  # what is mapped to null abstains
    Committee(SPACE, [member]).save(tmp_path / "stored")
    path.unlink()  # the committee keeps its own copy
    again = Committee.load(tmp_path / "stored")
    np.testing.assert_allclose(again.members[0].probabilities(TEXTS[:5]), found, atol=1e-6)
    assert member.probabilities([]).shape == (0, 3)


def test_two_classes_without_probabilities_are_told_apart(tmp_path: Path) -> None:
    pipeline = fitted(linear("LinearSVC"), TEXTS[:4] * 3, LABELS[:4] * 3)
    dump(pipeline, tmp_path / "two.skops")
    member = PipelineMember("two", SPACE, str(tmp_path / "two.skops"), {"S": "sport", "M": "money"})
    assert member.probabilities(TEXTS[:4]).argmax(axis=1).tolist() == [0, 0, 1, 1]
    with pytest.raises(LabelSpaceError, match="lacks 'M'"):
        PipelineMember("two", SPACE, str(tmp_path / "two.skops"), {"S": "sport"})


def shout(text: str) -> str:
    return text.upper()


def test_functions_and_other_types_are_refused_by_name_before_anything_is_loaded(tmp_path: Path) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    path = tmp_path / "x.skops"
    dump(fitted(linear("LogisticRegression"), preprocessor=shout), path)
    with pytest.raises(ArtifactError, match=r"FunctionNode: .*shout"):
        read_pipeline(path)
    dump(fitted(RandomForestClassifier(n_estimators=2)), path)
    with pytest.raises(ArtifactError, match="RandomForestClassifier"):
        read_pipeline(path)
    numbers = make_pipeline(FunctionTransformer(np.asarray), TfidfVectorizer(), linear("LinearSVC"))
    dump(numbers, path)
    with pytest.raises(ArtifactError, match="FunctionTransformer"):
        read_pipeline(path)
    dump(linear("LinearSVC"), path)
    with pytest.raises(ArtifactError, match="is no pipeline"):
        read_pipeline(path)


def test_pickles_and_broken_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.skops"
    path.write_bytes(pickle.dumps(fitted(linear("LogisticRegression"))))
    with pytest.raises(ArtifactError, match="no pipeline stored with skops"):
        read_pipeline(path)
    with pytest.raises(ArtifactError, match="no pipeline stored with skops"):
        read_pipeline(tmp_path / "missing.skops")
    dump(fitted(linear("LogisticRegression")), path)
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
    with zipfile.ZipFile(path, "w") as archive:  # the arrays are gone
        archive.writestr("schema.json", json.dumps(schema))
    with pytest.raises(ArtifactError, match="cannot be loaded"):
        read_pipeline(path)


names = st.sampled_from(["os", "builtins", "numpy", "sklearn.pipeline", "subprocess"])
nodes = st.recursive(
    st.fixed_dictionaries({"__module__": names, "__class__": st.sampled_from(["system", "eval", "Popen", "Pipeline"]),
                           "__loader__": st.sampled_from(["ObjectNode", "FunctionNode", "MethodNode", "TypeNode"])}),
    lambda inner: st.fixed_dictionaries({"content": st.one_of(inner, st.lists(inner, max_size=3))}),
    max_leaves=6,
)  # fmt: skip


@given(nodes)
def test_nothing_unknown_hides_however_deep(node: Any) -> None:
    objects = [one for one in json.dumps(node).split("{") if '"__module__"' in one]
    harmless = all('"sklearn.pipeline"' in one and '"Pipeline"' in one and '"ObjectNode"' in one for one in objects)
    assert (not list(foreign(node))) == harmless
