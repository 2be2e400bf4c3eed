"""Ready label configs are such that Shortlist reads them, and their explanations reach people and no teacher."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.errors import LabelingConfigError
from backend.label_studio.instructions import instructions_of, source_note
from backend.label_studio.label_config import read_labeling_config
from backend.label_studio.templates import MEANING, explanation, label_config
from model.labels import Label

LABELS = (Label("billing", hint='charges & "fees"'), Label("זיכוי"))


@pytest.mark.parametrize("name", MEANING)
def test_every_template_is_read_with_all_its_labels(name: str) -> None:
    found = read_labeling_config(label_config(name, LABELS), "")
    labels = found.space.parts[0].labels
    assert [(label.name, label.hint) for label in labels] == [(one.name, one.hint) for one in LABELS]
    assert found.multiple == (name != "one-label")
    assert (found.candidates_area is not None) == (name == "one-label")
    assert found.left == ()


def test_an_unknown_template_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LabelingConfigError, match="many-labels"):
        label_config("images", LABELS)


def test_the_command_lists_and_prints() -> None:
    listed = CliRunner().invoke(app, ["template"])
    assert all(name in listed.stdout for name in MEANING)
    printed = CliRunner().invoke(app, ["template", "many-labels", "--labels", "a, b ,c"])
    assert read_labeling_config(printed.stdout, "").space.names == ("a", "b", "c")


def test_the_template_for_several_labels_says_so_and_its_instructions_fit() -> None:
    found = {name: read_labeling_config(label_config(name, LABELS)) for name in MEANING}
    assert [name for name, one in found.items() if one.space.several] == ["several-labels", "several-questions"]
    assert not any(one.guessed for one in found.values())
    kinds = [(group.name, group.kind, bool(group.when)) for group in found["several-questions"].space.groups]
    assert kinds == [
        ("label", "one", False), ("mood", "one", False), ("reasons", "any", True), ("urgency", "ordered", False),
    ]  # fmt: skip
    told = explanation(multiple=True, several=True)
    assert "every label that applies" in told
    assert "untick" not in told


@pytest.mark.parametrize(("multiple", "several"), [(True, False), (False, False), (True, True)])
def test_what_people_are_told_about_ticks_is_not_told_to_the_teacher(multiple: bool, several: bool) -> None:
    stated = {"description": "Bank messages", "expert_instruction": explanation(multiple, several)}
    assert instructions_of(stated) == "Bank messages"
    assert instructions_of({"description": source_note("my file.csv", "0ff1269efc-f34cc8")}) == ""
    assert (
        instructions_of({"expert_instruction": f"Refunds first. {explanation(multiple, several)}"}) == "Refunds first."
    )


def test_people_are_told_that_a_box_that_stands_alone_may_stay_empty() -> None:
    told = explanation(False, False, True, flags=True)
    assert "leaving it empty, too" in told
    assert instructions_of({"expert_instruction": f"Refunds first. {told}"}) == "Refunds first."
