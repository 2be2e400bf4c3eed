"""Label configs: the two patterns, Taxonomy, aliases, hints, and every refusal."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import LabelingConfigError
from backend.label_studio.label_config import read_labeling_config
from tests.support.configs import CONFIG_A, CONFIG_B, TAXONOMY, choices, view


def test_config_a_is_a_multiple_choice_in_document_order() -> None:
    control = read_labeling_config(CONFIG_A)
    assert (control.name, control.kind, control.to_name, control.field) == ("label", "Choices", "text", "text")
    assert control.multiple
    assert control.candidates_area is None
    assert control.space.names == ("billing", "refund", "shipping", "other")
    assert control.space.labels[0].hint == "charges, invoices, double payments"
    assert control.notes == ()


def test_config_b_is_recognised_by_its_read_only_area() -> None:
    control = read_labeling_config(CONFIG_B)
    assert not control.multiple
    assert control.candidates_area == "candidates"
    assert control.notes == ()


@pytest.mark.parametrize("area", ['editable="false" maxSubmissions="1"', 'editable="false"', 'maxSubmissions="0"'])
def test_an_area_in_which_people_could_type_is_not_used(area: str) -> None:
    xml = CONFIG_B.replace('editable="false" maxSubmissions="0"', area)
    control = read_labeling_config(xml)
    assert control.candidates_area is None
    assert "only the first candidate is shown" in control.notes[0]


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


def test_taxonomy_labels_are_paths_of_aliases() -> None:
    control = read_labeling_config(TAXONOMY)
    assert control.kind == "Taxonomy"
    assert control.space.names == ("money", "money / in", "money / out", "parcel", "parcel / out")
    assert control.space.labels[1].title == "Money / Incoming"
    assert control.paths["parcel / out"] == ("parcel", "out")
    assert control.multiple


def test_leafs_only_and_one_usage() -> None:
    control = read_labeling_config(TAXONOMY.replace('name="tax"', 'name="tax" leafsOnly="true" maxUsages="1"'))
    assert control.space.names == ("money / in", "money / out", "parcel / out")
    assert not control.multiple


@pytest.mark.parametrize("tag", ["Text", "HyperText", "Paragraphs"])
def test_three_kinds_of_text(tag: str) -> None:
    control = read_labeling_config(view(choices("a", "b"), tag=tag))
    assert control.object_kind == tag
    assert control.field == "text"


def test_several_controls_need_a_name() -> None:
    xml = view(choices("a", "b") + choices("c", "d", name="second"))
    with pytest.raises(LabelingConfigError, match=r'Choices "label", Choices "second".*CONTROL'):
        read_labeling_config(xml)
    assert read_labeling_config(xml, "second").space.names == ("c", "d")
    with pytest.raises(LabelingConfigError, match=r'CONTROL "third".*"label", "second"'):
        read_labeling_config(xml, "third")


def test_two_texts_are_fine_when_the_control_names_one() -> None:
    xml = view(choices("a", "b") + '<Text name="more" value="$more"/>')
    assert read_labeling_config(xml).field == "text"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ('perRegion="true"', "perRegion"),
        ('perItem="true"', "perItem"),
        ('visibleWhen="choice-selected"', "visibleWhen"),
    ],
)
def test_controls_for_parts_are_passed_over_and_said_so(attributes: str, reason: str) -> None:
    part = choices("x", "y", name="part", attributes=attributes)
    control = read_labeling_config(view(part + choices("a", "b")))
    assert control.name == "label"
    assert 'Choices "part"' in control.notes[0]
    assert reason in control.notes[0]
    for wanted in ("", "part"):
        with pytest.raises(LabelingConfigError, match=f'Choices "part".*{reason}'):
            read_labeling_config(view(part), wanted)


def test_a_view_that_is_only_sometimes_visible_hides_its_controls() -> None:
    hidden = f'<View visibleWhen="choice-selected">{choices("x", "y", name="part")}</View>'
    assert read_labeling_config(view(hidden + choices("a", "b"))).name == "label"


REFUSED = {
    "": "empty",
    "   ": "empty",
    "<View": "not valid XML",
    "<View/>": "no Choices or Taxonomy",
    "\x00": "not valid XML",
    '<?xml version="1.0" encoding="utf-8"?><View/>': "not valid XML",
    '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]><View><Header>&x;</Header></View>': "not valid XML",
    view('<Labels name="l" toName="text"><Label value="a"/></Labels>'): "no Choices or Taxonomy",
    view('<Choices toName="text"><Choice value="a"/></Choices>'): "no Choices or Taxonomy",
    view('<Choices name="label" toName="text" value="$o"/>'): 'Choices "label" takes its options from task data',
    view('<Choices name="label" toName="text" value="$o"><Choice value="a"/></Choices>'): "from task data",
    view('<Taxonomy name="t" toName="text" apiUrl="http://x/"/>'): 'Taxonomy "t" loads its options from apiUrl',
    view(choices("a", "b", "a")): 'Choices "label".*more than once: a',
    view(choices("a")): 'Choices "label" has 1 labels',
    view(choices()): 'Choices "label" has 0 labels',
    view(choices("a", " ")): 'Choices "label" has a Choice without value',
    view('<Choices name="label" toName="text"><Choice value="a"/><Choice/></Choices>'): "Choice without value",
    view(
        '<Choices name="label" toName="text"><Choice value="P"><Choice value="Q"/></Choice></Choices>'
    ): 'nested choices under "P"; use a Taxonomy',
    view(choices("a", "b", to_name="text,more") + '<Text name="more" value="$more"/>'): 'several objects \\("text", "m',
    view(choices("a", "b", to_name="gone")): 'Choices "label" points to "gone"',
    view(choices("a", "b"), tag="Image"): 'Image "text" is not text',
    view(choices("a", "b"), value="plain"): 'Text "text" must read one field',
    view(choices("a", "b"), value="$a and $b"): "must read one field",
    view(choices("a", "b")).replace("<Text ", '<Text valueType="url" '): 'Text "text" loads its text from a URL',
    view(choices("a", "b")).replace("<Text ", '<Text encoding="base64" '): 'Text "text" has an encoding',
    view(choices("a", "b") + choices("c", "d")): 'the name "label" stands on 2 tags',
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
