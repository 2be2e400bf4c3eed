"""Ready label configs for Label Studio: one file each in `label_configs`, filled with the labels of a project."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from xml.etree import ElementTree

from backend.errors import LabelingConfigError
from model.labels import Label

FOLDER = resources.files("backend.label_studio") / "label_configs"
MEANING = {
    "several-ticks": "A: the shortlist is ticked, the person leaves the right label",
    "one-label": "B: the shortlist stands in a text area, the person chooses one label",
    "many-labels": "A with a drop-down, for more than about 20 labels",
    "right-to-left": "A for Hebrew, Arabic, Persian or Urdu",
}
EXPLANATIONS = {
    True: "The ticked labels are a shortlist; one tick alone is a trained model's answer. Leave the right label "
    "ticked, or tick it, untick the others, then submit. Several ticks left mean that you cannot decide between them.",
    False: "The labels in the text area are a shortlist, the most likely first; one may be chosen already. "
    "Choose the right label, on the list or not, then submit.",
}


def label_config(template: str, labels: Sequence[Label]) -> str:
    """The label config of a template with these labels; LabelingConfigError names the templates there are."""
    if template not in MEANING:
        raise LabelingConfigError(f"there is no template {template!r}; templates are {', '.join(MEANING)}")
    view = ElementTree.fromstring((FOLDER / f"{template}.xml").read_text(encoding="utf-8"))
    choices = view.find("Choices")
    assert choices is not None, "every template has one"
    for placeholder in list(choices):
        choices.remove(placeholder)
    for label in labels:
        hint = {"hint": label.hint} if label.hint else {}
        ElementTree.SubElement(choices, "Choice", {"value": label.name, **hint})
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode")


def explanation(multiple: bool) -> str:
    """What annotators should know, for config A (`multiple`) or B."""
    return EXPLANATIONS[multiple]


def without_explanations(text: str) -> str:
    """A project's instructions without what was written for people about ticks: it would only confuse a teacher."""
    for known in EXPLANATIONS.values():
        text = text.replace(known, "")
    return text.strip()
