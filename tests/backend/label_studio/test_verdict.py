"""What is told of a label config, and that what is suggested is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import LabelingConfigError, at_command_line
from backend.label_studio.label_config import read_labeling_config
from backend.label_studio.verdict import concerns, verdict
from backend.settings import Settings
from tests.support.configs import CONFIG_B, choices, view

SETTINGS = Settings(_env_file=None)
TWO = view(choices("a", "b", attributes="") + choices("c", "d", name="second q", attributes=""))
HIDDEN = choices("x", "y", name="part", attributes='visibleWhen="choice-selected" whenTagName="label"')
TAGS = ("Text", "Choices", "Choice", "View", "Header", "Rating", "Taxonomy", "Labels", "Label", "Image", "Repeater")
ATTRIBUTES = ("name", "toName", "value", "choice", "maxRating", "perRegion", "visibleWhen", "whenTagName", "alias",
              "allowNested", "NAME", "answer")  # fmt: skip
VALUES = (
    "a",
    "b",
    "c",
    "$a",
    "$b[0].c",
    "x $a",
    "",
    "true",
    "multiple",
    "choice-selected",
    "several",
    "5",
    "&lt;&amp;",
)


def told(xml: str, **options: str) -> dict[str, object]:
    return verdict(xml, SETTINGS.for_project(options), at_command_line).to_json()


def test_the_form_for_programs() -> None:
    found = told(CONFIG_B)
    assert set(found) == {"outcome", "questions", "left_alone", "pair", "message"}
    assert found["outcome"] == "full"
    labels = ["billing", "refund", "shipping", "other"]
    assert found["questions"] == [{"control": "label", "kind": "Choices", "labels": labels, "reads": ["text"]}]


def test_all_questions_are_told_and_the_option_that_answers_another_one_does() -> None:
    found = told(TWO)
    assert found["outcome"] == "full"
    assert [row["control"] for row in found["questions"]] == ["label", "second q"]  # type: ignore[attr-defined]
    one = told(TWO, CONTROL="second q")
    assert one["outcome"] == "partly"
    assert one["questions"][0]["labels"] == ["c", "d"]  # type: ignore[index]
    assert "--option 'QUESTIONS=second q,label'" in str(one["message"])
    assert told(TWO, QUESTIONS="second q,label")["outcome"] == "full"
    behind = told(view(choices("a", "b", attributes="") + HIDDEN))
    assert 'Choices "part": one of 2 labels, where it is shown, read from "text"' in str(behind["message"])


def test_a_refusal_suggests_what_is_accepted_in_the_form_of_the_place() -> None:
    refused = verdict(TWO, SETTINGS.for_project({"CONTROL": "gone"}))
    assert refused.outcome == "refused"
    assert refused.option == ("CONTROL", "label")
    assert 'set {"CONTROL": "label"} in extra_params' in refused.message
    assert "--option CONTROL=label" in str(told(TWO, CONTROL="gone")["message"])
    assert told(TWO, CONTROL=refused.option[1])["outcome"] == "partly"
    assert "option" not in str(told(view(HIDDEN), CONTROL="part")["message"])  # nothing else could be named


@pytest.mark.parametrize(
    ("beside", "outcome"),
    [
        (HIDDEN.replace("label", "gone"), "partly"),
        ('<Rating name="r" toName="text"/>', "full"),
        ('<Number name="n" toName="text"/>', "full"),  # free numbers are told, but no labels
        ('<Number name="n" toName="text" min="1" max="5"/>', "full"),
        ('<Image name="i" value="$i"/>', "full"),
        ('<Image name="i" value="$i"/>' + choices("x", "y", name="q", to_name="i"), "full"),
        ('<Text name="u" value="$u" valueType="url"/>' + choices("x", "y", name="q", to_name="u"), "partly"),
        ('<Choices name="q" toName="text" value="$options"/>', "partly"),
        (choices("x", name="flag"), "full"),
        ('<TextArea name="t" toName="text"/>', "full"),
        ('<Labels name="l" toName="text"><Label value="x"/></Labels>', "full"),
        (choices("x", "y", name="part", attributes='perRegion="true"'), "full"),
    ],
)
def test_what_is_beside_is_named(beside: str, outcome: str) -> None:
    found = told(view(choices("a", "b", attributes="") + beside))
    assert found["outcome"] == outcome
    answered = "<Rating" in beside or "min=" in beside or "flag" in beside
    left = 0 if answered else beside.count(" name=")
    assert len(found["left_alone"]) == left  # type: ignore[arg-type]


def test_ticks_whose_meaning_nobody_told_are_several_labels_and_the_option_that_changes_it_is_told() -> None:
    xml = view(choices("a", "b"))
    found = verdict(xml, SETTINGS.for_project({}), at_command_line)
    assert (found.outcome, found.advised) == ("full", (("ANSWER", "one"),))
    assert "--option ANSWER=one" in found.message
    assert found.questions[0].answer == "several"
    before = verdict(xml, SETTINGS.for_project({}), former=True)  # of a project that an earlier release connected
    assert (before.outcome, before.questions[0].answer) == ("partly", "one")
    assert "shortlist of one right label" in " ".join(concerns(read_labeling_config(xml, former=True)))
    assert told(xml, ANSWER="one")["outcome"] == "full"
    marked = xml.replace("<Choices ", '<Choices requiredMessage="Leave one label ticked, or skip the task" ')
    assert verdict(marked, SETTINGS.for_project({})).questions[0].answer == "one"
    assert told(xml.replace("<Choices ", '<Choices answer="one" '))["outcome"] == "full"


INNER = ("", "t", "<!--c-->")


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> str:
    tag = draw(st.sampled_from(TAGS))
    given_ones = draw(st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES), max_size=5))
    attributes = "".join(f' {name}="{value}"' for name, value in given_ones.items())
    inner = "".join(draw(st.lists(elements(depth - 1), max_size=3))) if depth else draw(st.sampled_from(INNER))
    return f"<{tag}{attributes}>{inner}</{tag}>"


@given(elements())
def test_any_config_has_a_verdict_and_what_it_suggests_is_accepted(xml: str) -> None:
    found = verdict(f"<View>{xml}</View>", SETTINGS.for_project({}))
    assert (found.outcome == "refused") == (not found.questions)
    assert found.message
    for option in [found.option, *(entry.option for entry in found.left)]:
        if option is not None:
            assert verdict(f"<View>{xml}</View>", SETTINGS.for_project(dict([option]))).outcome != "refused"


def test_numbered_choices_may_be_levels_in_order() -> None:
    scale = choices("1 - bad", "2 - fair", "3 - good", attributes="")
    advised = str(told(view(scale))["message"])
    assert "has numbered labels; if they are levels in order, --option ANSWER=ordered" in advised
    found = told(view(scale), ANSWER="ordered")
    assert "one of 3 levels in order" in str(found["message"])
    assert "numbered" not in str(found["message"])
    assert read_labeling_config(view(scale), answer="ordered").space.answer == "ordered"
    both = view(scale + choices("a", "b", name="other", attributes=""))
    assert "--option ANSWER=label=ordered" in str(told(both)["message"])
    kinds = [group.kind for group in read_labeling_config(both, answer="label=ordered").space.groups]
    assert kinds == ["ordered", "one"]
    signed = choices("-2: worse", "−1: a bit worse", " 0: as good", "+1: better", attributes="")
    assert "has numbered labels" in str(told(view(signed))["message"])
    for unordered in (("1", "3", "2"), ("1", "2"), ("a1", "a2", "a3"), ("1-2 days", "3-4 days", "5-6 days")):
        assert "numbered" not in str(told(view(choices(*unordered, attributes="")))["message"])
    tree = '<Taxonomy name="t" toName="text" maxUsages="1"><Choice value="a"/><Choice value="b"/></Taxonomy>'
    with pytest.raises(LabelingConfigError, match="has no levels in order"):
        read_labeling_config(view(tree), answer="ordered")
