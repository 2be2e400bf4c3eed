"""Ready label configs for Label Studio: one file each in `label_configs`, filled with the labels of a project."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from backend.errors import LabelingConfigError
from backend.label_studio.sources import VARIABLE
from model.labels import Label

FOLDER = resources.files("backend.label_studio") / "label_configs"
MEANING = {
    "several-ticks": "A: the shortlist is ticked, the person leaves the right label",
    "one-label": "B: the shortlist stands in a text area, the person chooses one label",
    "many-labels": "A with a drop-down, for more than about 20 labels",
    "several-labels": "several labels may be right at once, or none: all that apply are ticked",
    "several-questions": "more than one question about each text; --labels are those of the first one",
    "two-texts": "A for a pair of texts: does one follow from the other, do they mean the same",
    "search": "A for a query and a document; --labels are grades, the worst first",
    "right-to-left": "A for Hebrew, Arabic, Persian or Urdu",
}
SEVERAL = (
    "The ticked labels are a suggestion; several can be right at once. Tick every label that applies, and no other; if "
    "none applies, tick none. Then submit."
)
QUESTIONS = (
    "The answers that are filled in are a suggestion. Correct every question that is wrong; several ticks on a "
    "question of one label are a shortlist: leave the right one. A question that you leave empty counts as not "
    "answered. Then submit."
)
FLAGS = " Only a box that stands alone is answered by leaving it empty, too: then it does not apply."
EXPLANATIONS = {
    True: "The ticked labels are a shortlist; one tick alone is a trained model's answer. Leave the right label "
    "ticked, or tick it, untick the others, then submit. Several ticks left mean that you cannot decide between them.",
    False: "The labels in the text area are a shortlist, the most likely first; one may be chosen already. "
    "Choose the right label, on the list or not, then submit.",
}


def label_config(template: str, labels: Sequence[Label]) -> str:
    """The label config of a template with these labels, of its first question; LabelingConfigError names the templates.

    A label such as "under $5" has itself as an alias: Label Studio's editor would put data of the task for $5.
    """
    if template not in MEANING:
        raise LabelingConfigError(f"there is no template {template!r}; templates are {', '.join(MEANING)}")
    view = ElementTree.fromstring((FOLDER / f"{template}.xml").read_text(encoding="utf-8"))
    choices = view.find("Choices")
    assert choices is not None, "every template has one"
    for placeholder in list(choices):
        choices.remove(placeholder)
    for label in labels:
        hint = {"hint": label.hint} if label.hint else {}
        kept = {"alias": label.name, "html": escape(label.name)} if VARIABLE.search(label.name) else {}
        ElementTree.SubElement(choices, "Choice", {"value": label.name, **kept, **hint})
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode")


def explanation(multiple: bool, several: bool = False, questions: bool = False, flags: bool = False) -> str:
    """What annotators should know, for config A (`multiple`) or B, or where `several` labels may be right at once, or
    there are several `questions`, some of them `flags`: single choices."""
    if questions:
        return QUESTIONS + FLAGS * flags
    return SEVERAL if several else EXPLANATIONS[multiple]


def without_explanations(text: str) -> str:
    """A project's instructions without what was written for people about ticks: it would only confuse a teacher."""
    for known in (*EXPLANATIONS.values(), SEVERAL, QUESTIONS, FLAGS):
        text = text.replace(known, "")
    return text.strip()
