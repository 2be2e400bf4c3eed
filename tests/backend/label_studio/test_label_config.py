"""Label configs: the two patterns, Taxonomy, aliases, hints, and every refusal."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import LabelingConfigError
from backend.label_studio.label_config import read_labeling_config
from model.groups import When
from tests.support.configs import CONFIG_A, CONFIG_B, TAXONOMY, choices, view


def test_config_a_is_a_multiple_choice_in_document_order() -> None:
    control = read_labeling_config(CONFIG_A)
    assert (control.name, control.kind, control.to_name) == ("label", "Choices", "text")
    assert control.question.reads == ("text",)
    assert control.multiple
    assert control.candidates_area is None
    assert control.space.names == ("billing", "refund", "shipping", "other")
    assert control.space.labels[0].hint == "charges, invoices, double payments"
    assert control.left == ()


def test_config_b_is_recognised_by_its_read_only_area() -> None:
    control = read_labeling_config(CONFIG_B)
    assert not control.multiple
    assert control.candidates_area == "candidates"
    assert control.advice == ()


@pytest.mark.parametrize("area", ['editable="false" maxSubmissions="1"', 'editable="false"', 'maxSubmissions="0"'])
def test_an_area_in_which_people_could_type_is_not_used(area: str) -> None:
    xml = CONFIG_B.replace('editable="false" maxSubmissions="0"', area)
    control = read_labeling_config(xml)
    assert control.candidates_area is None
    assert "only the first candidate is shown" in control.advice[0][0]


def test_no_choice_attribute_means_single() -> None:
    assert not read_labeling_config(view(choices("a", "b", attributes=""))).multiple


def test_the_alias_is_the_label_and_entities_are_resolved() -> None:
    inner = '<Choice value="A &amp; B" alias="ab" hint="both"/><Choice value="R&amp;D"/>'
    space = read_labeling_config(view(f'<Choices name="label" toName="text">{inner}</Choices>')).space
    assert [(label.name, label.title, label.hint) for label in space.labels] == [
        ("ab", "A & B", "both"),
        ("R&D", "R&D", ""),
    ]


def test_the_hash_covers_names_titles_hints_and_fields_but_not_the_layout() -> None:
    base = read_labeling_config(CONFIG_A).space.hash
    assert read_labeling_config(CONFIG_A.replace('showInline="true"', 'layout="select"')).space.hash == base
    for old, new in [
        ("charges", "fees"),
        ('value="refund"', 'value="refund" alias="r"'),
        ("$text", "$body"),
        ('name="label"', 'name="intent"'),
        ('<Choice value="other"/>', ""),
    ]:
        assert read_labeling_config(CONFIG_A.replace(old, new)).space.hash != base


def test_a_taxonomy_whose_parts_hold_the_separator_of_paths() -> None:
    tree = '<Choice value="a / b"><Choice value="c"/></Choice><Choice value="a"><Choice value="b / c" alias="d"/>'
    tree += '<Choice value="b"><Choice value="c"/></Choice></Choice>'
    shown = 'visibleWhen="choice-selected" whenTagName="t" whenChoiceValue="b / c"'
    hanging = choices("x", "y", name="w", attributes=shown)
    control = read_labeling_config(view(f'<Taxonomy name="t" toName="text" maxUsages="1">{tree}</Taxonomy>{hanging}'))
    names = ["a // b", "a // b / c", "a", "a / d", "a / b", "a / b / c"]
    assert [label.name for label in control.questions[0].labels] == names
    for name, path in control.questions[0].paths.items():
        assert control.questions[0].label_of(list(path)) == name
    assert control.space.groups[1].when == (When(("t=a / d",)),)


def test_taxonomy_labels_are_paths_of_aliases() -> None:
    control = read_labeling_config(TAXONOMY)
    assert control.kind == "Taxonomy"
    assert control.space.names == ("money", "money / in", "money / out", "parcel", "parcel / out")
    assert control.space.labels[1].title == "Money / Incoming"
    assert control.question.paths["parcel / out"] == ("parcel", "out")
    assert control.multiple


def test_branches_of_one_path_are_one() -> None:
    tree = '<Choice value="a"><Choice value="x"/></Choice><Choice value="a"><Choice value="y"/></Choice>'
    found = read_labeling_config(view(f'<Taxonomy name="t" toName="text">{tree}</Taxonomy>'))
    assert found.space.names == ("a", "a / x", "a / y")
    leaves = read_labeling_config(view(f'<Taxonomy name="t" toName="text" leafsOnly="true">{tree}</Taxonomy>'))
    assert leaves.space.names == ("a / x", "a / y")


def test_where_shortlists_cannot_be_shown_is_one_sentence_for_all_questions() -> None:
    many = view("".join(choices("a", "b", name=f"q{n}", attributes="") for n in range(10)))
    told = [one for one, _ in read_labeling_config(many).advice]
    assert len(told) == 1
    assert '"q7" and 2 more take one label' in told[0]
    assert "TextArea" not in told[0]  # candidates of several questions are not listed
    wide = many.replace('name="q0"', 'name="q0" choice="multiple" answer="one"')
    found = read_labeling_config(wide)
    assert found.questions[0].multiple
    assert found.questions[0].group_kind == "one"
    assert '"q0"' not in found.advice[0][0]


def test_a_label_that_stands_twice_is_one() -> None:
    found = read_labeling_config(view(choices("a", "b", "a")))
    assert found.space.names == ("a", "b")
    assert any("has a label more than once" in told for told, _ in found.advice)


def test_a_field_that_the_editor_does_not_find_is_told() -> None:
    found = read_labeling_config(view(choices("a", "b"), value="$текст"))
    assert any('Text "text" shows "$текст" as it stands' in told for told, _ in found.advice)
    assert not any("as it stands" in told for told, _ in read_labeling_config(CONFIG_A).advice)


def test_the_words_on_the_form_are_known_with_what_they_are_about() -> None:
    xml = view(
        '<Header value="How much harm?"/><Rating name="r" toName="text"/>'
        '<Header value="Mark the words"/><Labels name="l" toName="text"><Label value="w"/></Labels>'
        '<View style="display:none"><Header value="not shown to anybody"/></View>'
        '<Choices name="c" toName="text"><View><Header value="Who is harmed, if anybody?"/></View>'
        '<Choice value="a"/><Header value="rarely"/><Choice value="b"/></Choices><Text name="u" value="id: $id"/>'
    )
    lines = read_labeling_config(xml, fields="text").wording.splitlines()
    assert lines[1:] == ["[text]", "How much harm?", "[question r]", "Who is harmed, if anybody?", "[question c]"]
    assert "[text id]" not in lines
    assert read_labeling_config(view(f'<Header value="Label"/>{choices("a", "b")}')).wording == ""
    assert read_labeling_config(view(f'<Header value="是垃圾吗"/>{choices("a", "b")}')).wording.endswith("[question]")


def test_leafs_only_and_one_usage() -> None:
    control = read_labeling_config(TAXONOMY.replace('name="tax"', 'name="tax" leafsOnly="true" maxUsages="1"'))
    assert control.space.names == ("money / in", "money / out", "parcel / out")
    assert not control.multiple


@pytest.mark.parametrize("tag", ["Text", "HyperText", "Paragraphs"])
def test_three_kinds_of_text(tag: str) -> None:
    control = read_labeling_config(view(choices("a", "b"), tag=tag))
    assert [(source.kind, source.field) for source in control.sources] == [(tag.lower(), "text")]


def test_several_questions_are_all_answered_or_those_that_an_option_names() -> None:
    xml = view(choices("a", "b") + choices("a", "d", name="second"))
    control = read_labeling_config(xml)
    assert [one.name for one in control.questions] == ["label", "second"]
    assert control.space.names == ("label=a", "label=b", "second=a", "second=d")
    one = read_labeling_config(xml, "second")
    assert one.space.names == ("a", "d")
    assert [(entry.control, entry.option) for entry in one.left] == [("label", ("QUESTIONS", "second,label"))]
    both = read_labeling_config(xml, questions="second, label")
    assert both.space == control.space  # in the order of the document
    assert read_labeling_config(xml, questions="all").space == control.space
    alone = read_labeling_config(view(choices("a", "b"))).space
    assert read_labeling_config(xml, questions="label").space.hash == alone.hash  # as if there were no other
    for option, name in (("control", "CONTROL"), ("questions", "QUESTIONS")):
        with pytest.raises(LabelingConfigError, match=rf'{name} "third".*"label", "second"') as caught:
            read_labeling_config(xml, **{option: "third"})
        assert caught.value.option == (name, "label")


def test_each_question_has_its_kind_and_several_ticks_beside_one_mean_several_labels() -> None:
    xml = view(
        choices("a", "b", name="one", attributes="")
        + choices("c", "d", name="many", attributes='choice="multiple"')
        + '<Rating name="stars" toName="text" maxRating="3"/>'
        + '<Taxonomy name="tree" toName="text" maxUsages="1"><Choice value="e"><Choice value="f"/></Choice></Taxonomy>'
    )
    space = read_labeling_config(xml).space
    assert [(group.name, group.kind, len(group)) for group in space.groups] == [
        ("one", "one", 2), ("many", "any", 2), ("stars", "ordered", 3), ("tree", "one", 2),
    ]  # fmt: skip
    assert space.labels[space.index("tree=e / f")].title == "e / f"
    xml = view(choices("a", "b") + choices("c", "d", name="second"))
    unsaid = read_labeling_config(xml)
    assert [group.kind for group in unsaid.space.groups] == ["any", "any"]
    assert unsaid.advice[0][1] == ("ANSWER", "label=one")
    guessed = read_labeling_config(xml, former=True)
    assert guessed.guessed
    assert [group.kind for group in guessed.space.groups] == ["one", "one"]
    assert guessed.advice[0][1] == ("ANSWER", "label=several")
    own = read_labeling_config(xml, answer="label=several,second=one")
    assert [group.kind for group in own.space.groups] == ["any", "one"]
    assert not own.guessed
    with pytest.raises(LabelingConfigError, match=r'ANSWER names "third".*"label", "second"'):
        read_labeling_config(xml, answer="third=several")
    told = read_labeling_config(xml, answer="several")
    assert [group.kind for group in told.space.groups] == ["any", "any"]


@pytest.mark.parametrize(
    ("condition", "labels"),
    [
        ('visibleWhen="choice-selected" whenTagName="label" whenChoiceValue="b,c"', ["label=b", "label=c"]),
        ('visibleWhen="choice-selected" whenTagName="label" whenChoiceValue="Bee"', ["label=b"]),
        ('visibleWhen="choice-selected" whenTagName="label"', ["label=a", "label=b", "label=c"]),
        ('visibleWhen="choice-unselected" whenTagName="label" whenChoiceValue="a"', ["label=a"]),
        ('visibleWhen="choice-selected"', ["label=a", "label=b", "label=c"]),
        ('whenChoiceValue="a"', ["label=a"]),
    ],
)
def test_a_question_behind_a_choice_is_asked_where_that_was_made(condition: str, labels: list[str]) -> None:
    named = '<Choice value="a"/><Choice value="Bee" alias="b"/><Choice value="c"/>'
    parent = f'<Choices name="label" toName="text">{named}</Choices>'
    child = choices("x", "y", name="part", attributes=condition)
    for xml in (view(child + parent), view(parent + f"<View {condition}>{choices('x', 'y', name='part')}</View>")):
        groups = read_labeling_config(xml).space.groups
        assert [group.name for group in groups] == ["label", "part"]  # a question comes after those on which it hangs
        (when,) = groups[1].when
        assert (list(when.labels), when.chosen) == (labels, "unselected" not in condition)


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ('visibleWhen="choice-selected" whenTagName="gone"', '"gone".*is not answered'),
        ('visibleWhen="choice-selected" whenTagName="label" whenChoiceValue="z"', '"z".*is no label'),
        ('visibleWhen="choice-selected" whenTagName="stars" whenChoiceValue="2"', 'Rating "stars".*editor fails'),
        ('visibleWhen="choice-selected" whenTagName="part"', '"part".*is not answered'),
    ],
)
def test_a_question_behind_a_choice_that_nobody_makes_is_left_alone(condition: str, reason: str) -> None:
    stars = '<Rating name="stars" toName="text" maxRating="2"/>'
    found = read_labeling_config(view(choices("a", "b") + choices("x", "y", name="part", attributes=condition) + stars))
    assert found.space.names == ("label=a", "label=b", "stars=1", "stars=2")
    assert re.search(rf'Choices "part" is only shown after.*{reason}', found.left[0].why)


def test_all_texts_are_read_and_the_label_space_knows_which() -> None:
    two = view(choices("a", "b") + '<Text name="more" value="$more"/>')
    assert read_labeling_config(two).question.reads == ("text", "more")
    one = read_labeling_config(two, fields="text")
    assert one.space.hash == read_labeling_config(view(choices("a", "b"))).space.hash  # as if there were no other
    assert one.space.hash != read_labeling_config(two).space.hash
    assert read_labeling_config(two, fields="more,text").question.reads == ("more", "text")
    with pytest.raises(LabelingConfigError, match=r'FIELDS "gone" is no text.*"text", "more"'):
        read_labeling_config(two, fields="gone")


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ('perRegion="true"', "perRegion"),
        ('perItem="true"', "perItem"),
        ('visibleWhen="region-selected"', "visibleWhen"),
        ('style="display: none"', "hidden"),
    ],
)
def test_controls_for_parts_are_passed_over_and_said_so(attributes: str, reason: str) -> None:
    part = choices("x", "y", name="part", attributes=attributes)
    control = read_labeling_config(view(part + choices("a", "b")))
    assert control.name == "label"
    assert 'Choices "part"' in control.left[0].why
    assert reason in control.left[0].why
    for wanted in ("", "part"):
        with pytest.raises(LabelingConfigError, match=f'Choices "part".*{reason}'):
            read_labeling_config(view(part), wanted)


REFUSED = {
    "": "empty",
    "   ": "empty",
    "<View": "not valid XML",
    "<View/>": "no Choices, Taxonomy, Rating or Pairwise",
    "\x00": "not valid XML",
    '<?xml version="1.0" encoding="utf-8"?><View/>': "no Choices, Taxonomy, Rating or Pairwise",
    '<View/><?xml version="1.0"?>': "not valid XML",
    '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]><View><Header>&x;</Header></View>': "a DOCTYPE",
    view('<Labels name="l" toName="text"><Label value="a"/></Labels>'): 'Labels "l" marks parts of a text',
    view('<Choices toName="text"><Choice value="a"/></Choices>'): "Choices has no name; give it a name",
    view('<Rating name="r"/>'): 'Rating "r" has no toName; write toName="text"',
    view('<Choices name="label" toName="text" value="$o"/>'): 'Choices "label" takes its options from task data',
    view('<Choices name="label" toName="text" value="$o"><Choice value="a"/></Choices>'): "from task data",
    view('<Taxonomy name="t" toName="text" apiUrl="http://x/"/>'): 'Taxonomy "t" loads its options from apiUrl',
    view(
        '<Choices name="label" toName="text"><Choice value="a" alias="x"/><Choice value="b" alias="x"/></Choices>'
    ): 'Choices "label".*more than once: x',
    view(choices("a")): 'Choices "label" can only be ticked or not, and nothing else is asked; add a Choice',
    view(choices()): 'Choices "label" has 0 labels',
    view(choices("a", " ")): 'Choices "label" has a Choice without value',
    view('<Choices name="label" toName="text"><Choice value="a"/><Choice/></Choices>'): "Choice without value",
    view(
        '<Choices name="label" toName="text"><Choice value="P"><Choice value="Q"/></Choice></Choices>'
    ): 'nested choices under "P"; use a Taxonomy',
    view(
        choices("a", "b", to_name="text,more") + '<Text name="more" value="$more"/>'
    ): 'labels 2 objects \\("text", "more"\\)',
    view(choices("a", "b", to_name="gone")): 'Choices "label" points to "gone".*let toName name a text: "text"$',
    '<View><View style="display:none"><Text name="text" value="$text"/></View>'
    f"{choices('a', 'b')}</View>": 'Choices "label" is about Text "text", which is hidden \\(display: none\\)',
    f'<View><HyperText name="text"><p>$body</p></HyperText>{choices("a", "b")}</View>': 'write value="\\$body" on it',
    view(choices("a", "b"), tag="Image"): 'Choices "label" is about Image "text", which is not text',
    view(choices("a", "b"), value="plain"): 'Text "text" must read a field of the task.*"plain"',
    view(choices("a", "b")).replace("<Text ", '<Text valueType="url" '): 'Text "text", which loads its text from a URL',
    view(choices("a", "b")).replace("<Text ", '<Text encoding="base64" '): 'Text "text", which has an encoding',
    view(choices("a", "b") + choices("c", "d")): 'the name "label" stands on 2 tags',
    view('<Rating name="r" toName="text" maxRating="1"/>'): 'Rating "r" has maxRating="1"',
    view('<Pairwise name="p" toName="text"/>'): 'Pairwise "p" labels 1 objects',
    view('<Choices name="label" toName="text"><Choice value="$a"/><Choice value="b"/></Choices>'): "from task data",
    view(choices("under $5", "b")): r'has the label "under \$5".*alias',
    view(choices("a", "b", attributes='allowNested="true"')): "has allowNested",
    view(
        '<Repeater on="$l"><Choices name="label" toName="text"><Choice value="a"/><Choice value="b"/></Choices>'
        "</Repeater>"
    ): "stands in a Repeater",
    view(choices("a", "b")).replace("toName", "toname"): "Label Studio's own check",
    view(
        '<Choices name="label" toName="text"><Choice value="x">a</Choice><Choice value="b"/></Choices>'
    ): "Label Studio's own check",
    view(choices(*[str(n) for n in range(5001)])): "5001 labels, at most 5000",
    "<View>" + " " * 2_000_001 + "</View>": "characters, at most",
}


@pytest.mark.parametrize(("xml", "sentence"), REFUSED.items(), ids=[text[:30] for text in REFUSED.values()])
def test_every_refusal_is_one_sentence_that_names_the_tag(xml: str, sentence: str) -> None:
    with pytest.raises(LabelingConfigError, match=sentence) as caught:
        read_labeling_config(xml)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@settings(max_examples=300)
@given(st.text() | st.text(alphabet='<>/="$ VieChoscTxtname').map(view))
def test_any_text_is_read_or_refused(xml: str) -> None:
    with contextlib.suppress(LabelingConfigError):
        assert len(read_labeling_config(xml).space) >= 2


def test_what_names_nothing_to_label_studio_is_left_alone_and_said() -> None:
    beside = '<Rating name="stars" maxRating="7"/><Taxonomy toName="text"><Choice value="x"/></Taxonomy>'
    control = read_labeling_config(view(choices("a", "b") + beside))
    assert [one.name for one in control.questions] == ["label"]
    assert {entry.control: entry.why for entry in control.left} == {
        "stars": 'Rating "stars" has no toName; write toName="text"',
        "Taxonomy": "Taxonomy has no name; give it a name",
    }


def test_reading_is_cached_by_text() -> None:
    assert read_labeling_config(CONFIG_A) is read_labeling_config(CONFIG_A)


def test_reading_loads_neither_the_client_nor_torch() -> None:
    program = (
        "import sys; from backend.label_studio.label_config import read_labeling_config;"
        "from tests.support.configs import CONFIG_A;"
        "assert 'label_studio_sdk' not in sys.modules; read_labeling_config(CONFIG_A);"
        "print([m for m in ('torch', 'pandas', 'label_studio_sdk.client') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_answer_says_what_ticks_mean_and_the_option_overrules_the_tag() -> None:
    several = CONFIG_A.replace('choice="multiple"', 'choice="multiple" answer="several"')
    assert read_labeling_config(CONFIG_A).space.answer == "one"
    assert read_labeling_config(several, answer="one").space == read_labeling_config(CONFIG_A).space
    with pytest.raises(LabelingConfigError, match='answer="any"; allowed are'):
        read_labeling_config(several.replace('"several"', '"any"'))
    with pytest.raises(LabelingConfigError, match="takes one label, but its answer is said to be several"):
        read_labeling_config(CONFIG_B, answer="several")
    free = several.replace('required="true"', "")
    for config, wanted, least in ((free, "auto", 0), (CONFIG_A, "several", 1), (several, "auto", 1)):
        space = read_labeling_config(config, answer=wanted).space
        assert (space.answer, space.least) == ("several", least)


def test_a_label_with_a_dollar_needs_an_alias() -> None:
    inner = '<Choice value="under $5" alias="cheap"/><Choice value="for $"/>'
    control = read_labeling_config(view(f'<Choices name="label" toName="text">{inner}</Choices>'))
    assert control.space.names == ("cheap", "for $")


@pytest.mark.parametrize("when", ["$note", "no-region-selected", "often"])
def test_conditions_that_the_editor_ignores_hide_nothing(when: str) -> None:
    xml = view(f'<View visibleWhen="{when}">{choices("a", "b")}</View>')
    assert read_labeling_config(xml).left == ()
    rating = view('<Rating name="r" toName="text" visibleWhen="choice-selected"/>')
    assert read_labeling_config(rating).name == "r"


def test_refusals_are_cached_too_and_each_is_raised_anew() -> None:
    caught = []
    for _ in range(2):
        with pytest.raises(LabelingConfigError) as found:
            read_labeling_config("<View/>")
        caught.append(found.value)
    assert caught[0] is not caught[1]
    assert str(caught[0]) == str(caught[1])


def test_a_taxonomy_that_marks_parts_is_left_alone() -> None:
    xml = TAXONOMY.replace('name="tax"', 'name="tax" labeling="true"')
    with pytest.raises(LabelingConfigError, match=r'Taxonomy "tax" labels parts of the text \(labeling\)'):
        read_labeling_config(xml)


@pytest.mark.parametrize(
    "beside",
    [
        '<Header value="Rate from $1 to $5"/>',
        '<View style="display:none"><Text name="more" value="$more"/></View>',
        '<Filter name="f" toName="label"/>',
    ],
)
def test_what_shows_no_text_of_the_task_changes_nothing(beside: str) -> None:
    plain = read_labeling_config(view(choices("a", "b")))
    found = read_labeling_config(view(choices("a", "b") + beside))
    assert (found.sources, found.space, found.left) == (plain.sources, plain.space, ())


FLAGS = view(choices("a", "b", name="l", attributes="") + choices("check this", name="flag", attributes=""))
LEVELS = view(choices("a", "b", name="l", attributes="") + '<Number name="n" toName="text" min="0" max="4" step="2"/>')


def test_a_single_choice_and_a_small_range_of_numbers_are_questions() -> None:
    flag = read_labeling_config(FLAGS)
    assert flag.space.names == ("l=a", "l=b", "flag=check this", "flag=not check this")
    assert flag.space.groups[1].kind == "one"
    number = read_labeling_config(LEVELS)
    assert number.space.names[2:] == ("n=0", "n=2", "n=4")
    assert number.space.groups[1].kind == "ordered"
    for wrong in ('max="4"', 'min="a" max="4"', 'min="1" max="1"', 'min="0" max="1000"', 'min="0" max="4" step="0.5"'):
        left = read_labeling_config(LEVELS.replace('min="0" max="4" step="2"', wrong)).left
        assert [(one.control, one.missing) for one in left] == [("n", False)]


@pytest.mark.parametrize(("xml", "name"), [(FLAGS, "flag"), (LEVELS, "n")])
def test_projects_of_before_keep_their_label_space_and_can_have_more(xml: str, name: str) -> None:
    before = read_labeling_config(xml, former=True)
    assert [one.name for one in before.questions] == ["l"]
    assert before.left[0].option == ("QUESTIONS", f"l,{name}")
    assert read_labeling_config(xml, questions=f"l,{name}", former=True).space == read_labeling_config(xml).space


def test_the_declaration_that_xml_editors_write_is_passed_over_and_told() -> None:
    xml = '<?xml version="1.0" encoding="UTF-8"?>\n' + CONFIG_A
    assert read_labeling_config(xml).space == read_labeling_config(CONFIG_A).space
    assert "take it out" in read_labeling_config(xml).advice[-1][0]


@pytest.mark.parametrize(
    ("controls", "reason"),
    [
        ('<Choices name="q" toName="a" perRegion="true"><Choice value="x"/><Choice value="y"/></Choices>', "perRegion"),
        ('<TextArea name="q" toName="a"/>', "is free text"),
        ('<Rating name="q" toName="a,b"/>', 'is about Audio "a", which is not text'),
    ],
)
def test_no_remedy_is_suggested_that_would_be_refused_because_no_text_is_shown(controls: str, reason: str) -> None:
    silent = '<View><Audio name="a" value="$a"/><Audio name="b" value="$b"/>{}</View>'
    with pytest.raises(LabelingConfigError, match=reason) as caught:
        read_labeling_config(silent.format(controls))
    assert "add one" not in caught.value.reason
    assert "let toName" not in caught.value.reason
    with pytest.raises(LabelingConfigError, match=r"let toName name one of them|add one"):
        read_labeling_config(silent.replace("Audio", "Text").format(controls))
