"""Members on disk: what is stored answers the same, what is broken is refused by name."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from model.arrays import FloatArray
from model.committee.committee import Committee
from model.committee.members.classifier import ExistingMember
from model.committee.members.entailment import EntailmentMember
from model.committee.members.label_map import LabelMap
from model.committee.members.label_names import NamesMember
from model.committee.members.member import StudentMember, member_probabilities
from model.committee.members.tfidf import WordsMember
from model.encoder.pretrained import pretrained
from model.errors import ArtifactError, LabelSpaceError, NotEnoughDataError
from model.labels import Label, LabelSpace
from model.loading import load_version
from model.student.head import HeadStudent
from tests.support.toys import tiny_classifier

SPACE = LabelSpace.of(["sport", "money", "other"])
TEXTS = ["the team won the match", "shares fell at the bank", "a match for the team", "the bank raised its shares"] * 5
TARGETS = np.eye(3, dtype=np.float32)[[0, 1, 0, 1] * 5]


def words() -> WordsMember:
    return WordsMember.fit("words", SPACE, TEXTS, TARGETS)


def head(seed: int = 0) -> StudentMember:
    random = np.random.default_rng(seed)
    tensors = {
        "mean": np.zeros(4, np.float32),
        "scale": np.ones(1, np.float32),
        "out": random.normal(size=(4, 3)).astype(np.float32),
        "out_bias": np.zeros(3, np.float32),
    }
    return StudentMember(f"head-{seed}", HeadStudent(SPACE, "default", [tensors]), lengths)


def lengths(texts: list[str]) -> FloatArray:  # type: ignore[misc]
    return np.array([[len(text), text.count("a"), text.count("e"), 1] for text in texts], np.float32) / 10


def test_words_learn_survive_the_disk_and_give_missing_labels_almost_nothing(tmp_path: Path) -> None:
    member = words()
    answers = member.probabilities(["a match", "the shares", "nothing known"])
    assert answers.argmax(axis=1)[:2].tolist() == [0, 1]
    assert float(answers[:, 2].max()) < 1e-3
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    member.save(tmp_path)
    assert not list(tmp_path.glob("*.pkl"))
    again = WordsMember.load(tmp_path)
    np.testing.assert_allclose(again.probabilities(TEXTS), member.probabilities(TEXTS), atol=1e-6)


def test_two_labels_are_the_odds_of_one() -> None:
    space = LabelSpace.of(["no", "yes"])
    member = WordsMember.fit("w", space, TEXTS, TARGETS[:, :2])
    assert (member.probabilities(TEXTS).argmax(axis=1) == TARGETS.argmax(axis=1)).all()


def test_soft_targets_are_weighted_rows_and_one_label_is_too_little() -> None:
    soft = 0.7 * TARGETS + 0.1
    member = WordsMember.fit("w", SPACE, TEXTS, soft.astype(np.float32))
    assert (member.probabilities(TEXTS).argmax(axis=1) == TARGETS.argmax(axis=1)).all()
    with pytest.raises(NotEnoughDataError):
        WordsMember.fit("w", SPACE, TEXTS[:2], np.eye(3, dtype=np.float32)[[0, 0]])


@pytest.mark.parametrize("name", ["words.json", "words.safetensors"])
def test_broken_files_are_named(tmp_path: Path, name: str) -> None:
    words().save(tmp_path)
    (tmp_path / name).write_text("{")
    with pytest.raises(ArtifactError, match=name):
        WordsMember.load(tmp_path)


def test_shapes_are_checked(tmp_path: Path) -> None:
    words().save(tmp_path)
    content = json.loads((tmp_path / "words.json").read_text())
    content["words"].append("surplus")
    (tmp_path / "words.json").write_text(json.dumps(content))
    with pytest.raises(ArtifactError, match="idf"):
        WordsMember.load(tmp_path)


def test_a_label_map_is_complete_or_refused() -> None:
    with pytest.raises(LabelSpaceError, match="lacks 'neutral'"):
        LabelMap(SPACE, ("positive", "neutral"), {"positive": "sport"})
    with pytest.raises(LabelSpaceError, match="no label 'negative'"):
        LabelMap(SPACE, ("positive",), {"positive": "sport", "negative": None})
    with pytest.raises(LabelSpaceError, match="did you mean 'sport'"):
        LabelMap(SPACE, ("positive",), {"positive": "sports"})


def test_mapped_probabilities_are_renormalised_and_null_means_abstain() -> None:
    found = LabelMap(SPACE, ("x", "y", "z"), {"x": "sport", "y": "sport", "z": None}).apply(
        np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], np.float32)
    )
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 0, 0]], atol=1e-6)


def test_an_existing_classifier_joins_with_a_complete_map_and_is_stored_by_reference(tmp_path: Path) -> None:
    tiny_classifier(tmp_path / "model")
    targets = {"LABEL_0": "sport", "LABEL_1": "money", "LABEL_2": "other"}
    member = ExistingMember("hub", SPACE, str(tmp_path / "model"), targets)
    answers = member.probabilities(["the team", "the bank"] * 20)
    assert answers.shape == (40, 3)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    member.save(tmp_path / "seat")
    again = ExistingMember.load(tmp_path / "seat")
    np.testing.assert_allclose(again.probabilities(["the team"]), member.probabilities(["the team"]), atol=1e-6)
    assert member.probabilities([]).shape == (0, 3)
    with pytest.raises(LabelSpaceError, match="LABEL_2"):
        ExistingMember("hub", SPACE, str(tmp_path / "model"), {"LABEL_0": "sport", "LABEL_1": "money"})


def test_a_folder_that_is_no_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not load as a text classifier in safetensors: "):
        ExistingMember("hub", SPACE, str(tmp_path), {})
    with pytest.raises(ArtifactError, match=r"existing\.json"):
        ExistingMember.load(tmp_path)
    tiny_classifier(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"half a downl")
    with pytest.raises(ArtifactError, match="does not load as a text classifier in safetensors: "):
        ExistingMember("hub", SPACE, str(tmp_path / "model"), {})


def test_a_zero_shot_classifier_is_asked_about_every_label(tmp_path: Path) -> None:
    place = str(tmp_path / "nli")
    tiny_classifier(tmp_path / "nli", ("contradiction", "neutral", "ENTAILMENT"))
    space = LabelSpace((Label("team"), Label("bank", hint="the money"), Label("other")))
    member = EntailmentMember("nli", space, place, "the {}")
    answers = member.probabilities(["the team", "the bank the bank"] * 9)
    assert answers.shape == (18, 3)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(member.probabilities(["the bank the bank"])[0], answers[1], atol=1e-4)
    tokenizer, model = pretrained("AutoModelForSequenceClassification", place)
    logits = [model(**tokenizer("the team", said, return_tensors="pt")).logits[0, 2].item()
              for said in ("the team", "the bank: the money", "the other")]  # fmt: skip
    np.testing.assert_allclose(np.log(answers[0]), logits - np.logaddexp.reduce(logits), atol=1e-4)
    assert member.probabilities([]).shape == (0, 3)
    Committee(space, [member]).save(tmp_path / "stored")
    (again,) = Committee.load(tmp_path / "stored").members
    np.testing.assert_allclose(again.probabilities(["the team"])[0], answers[0], atol=1e-4)


def test_what_is_no_zero_shot_classifier_is_refused(tmp_path: Path) -> None:
    tiny_classifier(tmp_path / "model")
    with pytest.raises(ArtifactError, match="no class `entailment`"):
        EntailmentMember("nli", SPACE, str(tmp_path / "model"))
    with pytest.raises(ArtifactError, match="where the label stands"):
        EntailmentMember("nli", SPACE, str(tmp_path / "model"), "about it")
    with pytest.raises(ArtifactError, match="does not load as a text classifier"):
        EntailmentMember("nli", SPACE, str(tmp_path))
    with pytest.raises(ArtifactError, match=r"entailment\.json"):
        EntailmentMember.load(tmp_path)


def test_label_names_vote_without_any_label(tmp_path: Path) -> None:
    space = LabelSpace.of(["aa", "eeee"])
    member = NamesMember("names", space, lengths)
    answers = member.probabilities(["aaaa", "eeeeeee"])
    assert answers.argmax(axis=1).tolist() == [0, 1]
    Committee(space, [member]).save(tmp_path)
    again = Committee.load(tmp_path, lengths)
    np.testing.assert_allclose(again.all_probabilities(["aaaa"])[0], answers[:1], atol=1e-6)
    with zipfile.ZipFile(tmp_path / "members.zip", "w") as archive:
        archive.writestr("member-0/names.json", "{}")
    with pytest.raises(ArtifactError, match=r"names\.json"):
        Committee.load(tmp_path, lengths)


def test_a_committee_survives_the_disk(tmp_path: Path) -> None:
    committee = Committee(SPACE, [head(0), head(1), words()], (0.5, 0.2, 0.3), facts={"stage": 2})
    committee.save(tmp_path)
    again = Committee.load(tmp_path, lengths)
    np.testing.assert_allclose(again.probabilities(TEXTS), committee.probabilities(TEXTS), atol=1e-5)
    assert again.all_probabilities(TEXTS).shape == (3, 20, 3)
    assert again.facts == {"stage": 2}
    assert [member.name for member in again.members] == ["head-0", "head-1", "words"]
    assert load_version(tmp_path).kind == "committee"
    equal = Committee(SPACE, [head(0), words()])
    np.testing.assert_allclose(equal.probabilities(TEXTS).sum(axis=1), 1, atol=1e-5)


def test_a_tampered_committee_is_refused(tmp_path: Path) -> None:
    Committee(SPACE, [words()]).save(tmp_path)
    path = tmp_path / "student.json"
    good = json.loads(path.read_text())
    for seat, word in (
        ({"folder": "../x"}, "outside"),
        ({"kind": "pickle"}, "unknown"),
        ({"kind": "student"}, "missing"),
    ):
        path.write_text(json.dumps({**good, "members": [{**good["members"][0], **seat}]}))
        with pytest.raises(ArtifactError, match=word):
            Committee.load(tmp_path)
    path.write_text("[]")
    with pytest.raises(ArtifactError, match=r"student\.json"):
        Committee.load(tmp_path)
    path.write_text(json.dumps(good))
    (tmp_path / "members.zip").write_bytes(b"no archive")
    with pytest.raises(ArtifactError, match=r"members\.zip"):
        Committee.load(tmp_path)


def test_different_label_spaces_do_not_sit_together() -> None:
    stranger = WordsMember.fit("w", LabelSpace.of(["a", "b", "c"]), TEXTS, TARGETS)
    with pytest.raises(ValueError, match="different label spaces"):
        member_probabilities([words(), stranger], TEXTS)
    with pytest.raises(LabelSpaceError, match="another label space"):
        Committee(SPACE, [stranger])
    with pytest.raises(ValueError, match="needs members"):
        member_probabilities([], TEXTS)
    with pytest.raises(ValueError, match="weights"):
        Committee(SPACE, [words()], (1.0, 2.0))
