"""What of a label config would be served, in sentences: the same at connecting, in doctor, /validate and the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.errors import LabelingConfigError, in_label_studio
from backend.label_studio.control import Control, LeftAlone
from backend.label_studio.label_config import read_project_config
from backend.label_studio.markup import clipped
from backend.label_studio.pairs import sentence as pair_sentence
from backend.label_studio.questions import Question
from backend.project_options import ProjectOptions
from model.pairs import Pair

Outcome = Literal["full", "partly", "refused"]
Told = Callable[[tuple[str, str]], str]  # how an option is set where the reader is: see errors.py
MOST_NAMED = 8  # names of one list in a sentence


@dataclass(frozen=True)
class Verdict:
    """`full`: every question with labels about the whole text is served; `partly`: one of them is left alone, or nobody
    said what its ticks mean; `refused`: nothing is served, `sentences` says why and what to change.

    Free text, numbers and dates, rankings, parts of a text and other media are never served: they are told alone."""

    outcome: Outcome
    sentences: tuple[str, ...]
    questions: tuple[Question, ...] = ()
    left: tuple[LeftAlone, ...] = ()
    option: tuple[str, str] | None = None  # what would mend a refusal
    told: Told = field(default=in_label_studio, compare=False)
    pair: Pair | None = None  # which two texts of a task are compared
    advised: tuple[tuple[str, str], ...] = ()  # options that would change how what is served is understood

    @property
    def message(self) -> str:
        """All sentences in one line."""
        return ". ".join(self.sentences)

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return {
            "outcome": self.outcome,
            "questions": [
                {
                    "control": question.name,
                    "kind": question.kind,
                    "labels": [label.name for label in question.labels],
                    "reads": list(question.reads),
                }
                for question in self.questions
            ],
            "left_alone": [{"control": entry.control, "why": _why(entry, self.told)} for entry in self.left],
            "pair": None
            if self.pair is None
            else {
                "texts": list(self.pair.names),
                "symmetric": self.pair.symmetric,
                "query": self.pair.group or None if self.pair.query is None else self.pair.names[self.pair.query],
            },
            "message": self.message,
        }


def verdict(xml: str, options: ProjectOptions, told: Told = in_label_studio, former: bool = False) -> Verdict:
    """What would be served of a label config with these options, of a project connected now or (`former`) long ago."""
    try:
        control = read_project_config(xml, options, former)
    except LabelingConfigError as error:
        remedy = f"; {told(error.option)}" if error.option else ""
        return Verdict("refused", (f"{error.reason}{remedy}",), option=error.option, told=told)
    partly = any(entry.missing for entry in control.left) or control.guessed
    return Verdict(
        "partly" if partly else "full",
        tuple(sentences(control, told)),
        control.questions,
        control.left,
        None,
        told,
        control.pair,
        tuple(option for _, option in control.advice if option is not None),
    )


def sentences(control: Control, told: Told = in_label_studio) -> list[str]:
    """What is answered from what, what is left alone and why, and what people should know."""
    left = (_why(entry, told) for entry in control.left)
    return [*_served(control), *_pair(control), *left, *_advice(control, told)]


def concerns(control: Control, told: Told = in_label_studio) -> list[str]:
    """Those of the sentences that a person should read who connects a project: "" where all is served as it stands."""
    open_points = [_why(entry, told) for entry in control.left if entry.asks]
    several = len(control.sources) > 1 or len(control.questions) > 1
    composed = [*_served(control), *_pair(control)] if several or open_points else []
    return [*composed, *open_points, *_advice(control, told)]


def _pair(control: Control) -> list[str]:
    """Which two texts are compared, if two are."""
    return [] if control.pair is None else [pair_sentence(control.pair)]


def _served(control: Control) -> list[str]:
    """One sentence for each question."""
    return [_question(question) for question in control.questions]


def _question(question: Question) -> str:
    number = len(question.labels)
    what = {"one": f"one of {number} labels", "ordered": f"one of {number} levels in order"}.get(
        question.answer, "any of its labels"
    )
    if question.off:
        what = "ticked or not"
    if question.conditions:
        what += ", where it is shown"
    names = [f'"{clipped(name)}"' for name in question.reads]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    texts = ", ".join(names[:MOST_NAMED]) + more
    return f'{question.kind} "{clipped(question.name)}": {what}, read from {texts}'


def _why(entry: LeftAlone, told: Told) -> str:
    return f"{entry.why}; to answer this one, {told(entry.option)}" if entry.option else entry.why


def _advice(control: Control, told: Told) -> list[str]:
    return [f"{reason}, {told(option)}" if option else reason for reason, option in control.advice]
