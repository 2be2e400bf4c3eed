"""A catalogue of classifiers, what is proposed from it by name or by an LLM, and what of that is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.arrays import FloatArray
from model.committee.catalogue import UNKNOWN, Classifier, licences, read_catalogue
from model.committee.members.label_map import LabelMap
from model.committee.proposing import by_names, read_answer, schema
from model.committee.trial import trial
from model.errors import ArtifactError
from model.labels import Label, LabelSpace

SPACE = LabelSpace((Label("pos", "positive"), Label("neg", "negative"), Label("none", "neutral")))
MOODS = Classifier("hub/moods", "sentiment", {"LABEL_0": "negative", "LABEL_1": "positive"}, ("en",), "mit")
SPAM = Classifier("hub/spam", "spam", {"ham": "", "spam": ""})
GOOD = {
    "place": "hub/moods",
    "reason": "fits",
    "map": [{"theirs": "LABEL_0", "ours": "neg"}, {"theirs": "LABEL_1", "ours": "pos"}],
}


def letters(texts: Sequence[str]) -> FloatArray:
    """Unit vectors of letter pairs: like words are alike."""
    pairs = [a + b for a in "abcdefghijklmnopqrstuvwxyz " for b in "abcdefghijklmnopqrstuvwxyz "]
    counts = np.array([[text.lower().count(pair) for pair in pairs] for text in texts], np.float32) + 1e-9
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_our_catalogue_names_its_classifiers_once_with_task_and_labels() -> None:
    found = read_catalogue()
    assert len(found) >= 15
    assert all(len(one.labels) >= 2 and one.task and one.languages and "/" in one.place for one in found)
    toxic = next(one for one in found if one.place == "s-nlp/roberta_toxicity_classifier")
    assert (toxic.meaning("neutral"), toxic.meaning("toxic")) == ("not toxic", "toxic")
    assert all(one.licence for one in found)
    assert licences()["ProsusAI/finbert"] == UNKNOWN  # its card states none
    assert licences()["SamLowe/roberta-base-go_emotions"] == "mit"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "can be read"),
        ("{}", "a JSON list"),
        ('[{"place": "x"}]', "entry 1"),
        ('[{"place": "x", "task": "t", "labels": {"a": ""}}]', "two labels"),
        ('[{"place": "x", "task": "t", "labels": {"a": "", "b": ""}}, '
         '{"place": "x", "task": "t", "labels": {"a": "", "b": ""}}]', "more than once: x"),
    ],
)  # fmt: skip
def test_a_catalogue_file_is_checked(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "own.json"
    path.write_text(content)
    with pytest.raises(ArtifactError, match=said):
        read_catalogue(path)


def test_without_an_llm_names_decide_and_what_knows_too_little_is_left_out() -> None:
    found = by_names(SPACE, [SPAM, MOODS], letters).found
    assert [one.classifier.place for one in found] == ["hub/moods"]
    assert found[0].targets == {"LABEL_0": "neg", "LABEL_1": "pos"}
    assert by_names(SPACE, [], letters).found == ()


def test_a_negation_and_a_near_name_beside_the_very_name_mean_nothing() -> None:
    space = LabelSpace.of(["toxic", "fine"])
    toxic = Classifier(
        "hub/toxic", "toxicity", {"a": "not toxic", "toxic": "", "b": "very toxic", "c": "toxics", "fine": ""}
    )
    (found,) = by_names(space, [toxic], letters).found
    assert found.targets == {"a": None, "toxic": "toxic", "b": "toxic", "c": None, "fine": "fine"}


def answer(*rows: Any) -> str:
    return json.dumps({"members": list(rows)})


def test_an_answer_that_holds_is_taken() -> None:
    found, refused = read_answer(answer(GOOD), SPACE, [MOODS, SPAM])
    assert refused == []
    assert (found[0].classifier, found[0].targets, found[0].reason) == (
        MOODS,
        {"LABEL_0": "neg", "LABEL_1": "pos"},
        "fits",
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**GOOD, "place": "evil/model"}, "not in the catalogue"),
        ({**GOOD, "place": ["x"]}, "not in the catalogue"),
        ({**GOOD, "map": GOOD["map"][:1]}, "lacks 'LABEL_1'"),
        ({**GOOD, "map": [*GOOD["map"], {"theirs": "LABEL_9", "ours": None}]}, "no label 'LABEL_9'"),
        ({**GOOD, "map": [GOOD["map"][0], {"theirs": "LABEL_1", "ours": "great"}]}, "not in the label space"),
        ({**GOOD, "map": [GOOD["map"][0], {"theirs": "LABEL_1", "ours": None}]}, "fewer than two"),
        ({**GOOD, "map": [GOOD["map"][0], GOOD["map"][0]]}, "different pairs"),
        ({**GOOD, "map": "import os"}, "no map"),
        ("os.system('x')", "no map"),
    ],
)
def test_an_answer_that_does_not_hold_is_refused_in_words(row: Any, said: str) -> None:
    found, refused = read_answer(answer(row), SPACE, [MOODS, SPAM])
    assert found == []
    assert said in refused[0]
    assert len(read_answer(answer(row, GOOD), SPACE, [MOODS])[0]) == 1  # one bad proposal costs no other


@given(st.text(max_size=300))
def test_no_text_is_ever_a_proposal_by_accident(raw: str) -> None:
    found, refused = read_answer(raw, SPACE, [MOODS])
    assert found == []
    assert refused


pairs = st.fixed_dictionaries(
    {"theirs": st.sampled_from(["LABEL_0", "LABEL_1", "x"]), "ours": st.sampled_from(["pos", "neg", "y", None])}
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "place": st.sampled_from(["hub/moods", "z"]),
                "reason": st.text(max_size=5),
                "map": st.lists(pairs, max_size=4),
            }
        ),
        max_size=4,
    )
)
def test_what_is_proposed_can_always_be_applied(rows: list[dict[str, Any]]) -> None:
    found, refused = read_answer(answer(*rows), SPACE, [MOODS])
    assert len(found) + len(refused) == len(rows)
    assert len(found) <= 1
    for one in found:
        LabelMap(SPACE, tuple(MOODS.labels), one.targets)


def test_the_schema_allows_only_what_is_known() -> None:
    member = schema(SPACE, [MOODS, SPAM])["properties"]["members"]["items"]["properties"]
    assert member["place"]["enum"] == ["hub/moods", "hub/spam"]
    assert member["map"]["items"]["properties"]["ours"]["enum"] == ["pos", "neg", "none", None]


class Fixed:
    """A member that says what it is told; -1: it abstains."""

    name, space, trainable = "fixed", SPACE, False

    def __init__(self, labels: list[int]) -> None:
        self.labels = labels

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        return np.array([[float(column == label) for column in range(3)] for label in self.labels], np.float32)

    def save(self, folder: Path) -> None:
        raise AssertionError("a trial saves nothing")


def test_a_trial_counts_votes_and_compares_with_the_usual_label() -> None:
    gold = np.array([0, 1] * 50)
    perfect = trial(Fixed(gold.tolist()), ["x"] * 100, gold)
    assert (perfect.right, perfect.voted, perfect.usual, perfect.worth_a_seat) == (1.0, 1.0, 0.5, True)
    silent = trial(Fixed([0, -1] * 50), ["x"] * 100, gold)
    assert (silent.voted, silent.right) == (0.5, 1.0)
    assert trial(Fixed([1, 0] * 50), ["x"] * 100, gold).worth_a_seat is False
    assert trial(Fixed([0] * 100), ["x"] * 100, gold).worth_a_seat is None
    assert trial(Fixed([0] * 10), ["x"] * 10, gold[:10]).worth_a_seat is None
    with pytest.raises(ValueError, match="people decided"):
        trial(Fixed([]), [], gold[:0])
