"""Which questions hang on others: a tag that is only shown after a choice is asked where that choice was made."""

from __future__ import annotations

from collections.abc import Mapping

from backend.label_studio.markup import clipped
from backend.label_studio.questions import Question
from backend.label_studio.visibility import Condition
from model.groups import When, qualified
from model.labels import Label

CHOOSE = ("Choices", "Taxonomy")  # the editor asks other tags for a choice, too, which they cannot answer
Whens = dict[str, tuple[When, ...]]


def ordered(chosen: Mapping[str, Question]) -> tuple[list[Question], dict[str, str]]:
    """The questions that can be asked, each after those on which it hangs, and why the others cannot, by name."""
    left: dict[str, str] = {}
    kept, waiting = list[Question](), dict(chosen)
    while waiting:
        here = {question.name: question for question in kept}
        ready = next((one for one in waiting.values() if _parents(one, waiting) <= {one.name}), None)
        if ready is None:
            why = "and others wait for each other (visibleWhen)"
            left |= {name: f"{_where(one)} {why}" for name, one in waiting.items()}
            break
        del waiting[ready.name]
        reason = next((why for one in ready.conditions if (why := _unmet(one, ready, here))), "")
        if reason:
            left[ready.name] = reason
        else:
            kept.append(ready)
    return kept, left


def whens(question: Question, before: Mapping[str, Question]) -> tuple[When, ...]:
    """Its conditions as labels of the questions before it."""
    return tuple(When(_labels(one, before), one.chosen) for one in question.conditions)


def _parents(question: Question, waiting: Mapping[str, Question]) -> set[str]:
    """The questions on which it hangs and that have no place yet; where any Choices will do, all of them."""
    named = {one.control for one in question.conditions}
    choices = {name for name, one in waiting.items() if one.kind == "Choices"} if "" in named else set()
    return (named | choices) & set(waiting)


def _labels(condition: Condition, known: Mapping[str, Question]) -> tuple[str, ...]:
    """The labels that a condition names, of the questions that it is about."""
    return tuple(
        qualified(name, label.name)
        for name, parent in known.items()
        if name == condition.control or (not condition.control and parent.kind == "Choices")
        for label in parent.labels
        if label.name != parent.off  # which nobody ticks
        if not condition.values or _spellings(parent, label) & {*condition.values}
    )


def _spellings(parent: Question, label: Label) -> set[str]:
    """What the editor takes for a choice: its alias or its value, of a path those of its end."""
    if label.name not in parent.paths:
        return {label.name, label.title}
    return {parent.paths[label.name][-1], parent.ends[label.name]}


def _unmet(condition: Condition, question: Question, known: Mapping[str, Question]) -> str:
    """Why a condition cannot be looked at; "" if it can."""
    if condition.control and condition.control not in known:
        shown = f'"{clipped(condition.control)}"'
        return f"{_where(question)} is only shown after a choice in {shown} (visibleWhen), which is not answered"
    if condition.control and known[condition.control].kind not in CHOOSE:
        return (
            f"{_where(question)} is only shown after a choice in {_where(known[condition.control])} (visibleWhen), and "
            "Label Studio's editor fails where that is no Choices or Taxonomy tag"
        )
    if not _labels(condition, known):
        values = clipped(",".join(condition.values))
        return f'{_where(question)} is only shown after the choice "{values}" (visibleWhen), which is no label'
    return ""


def _where(question: Question) -> str:
    return f'{question.kind} "{clipped(question.name)}"'
