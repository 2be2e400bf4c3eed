"""What several ticks mean in a project, where nobody has said it: several right labels at once, or a shortlist of one.

What people have done tells: annotations that were there before Shortlist was connected, and later whether answers fit
the meaning in force. It is told, with the option that changes it; only at the first connecting it is also followed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from backend.errors import LabelingConfigError
from backend.label_studio.annotations import chosen_labels
from backend.label_studio.client import LabelStudio
from backend.label_studio.control import Control
from backend.label_studio.fields import created_of
from backend.label_studio.label_config import read_project_config
from backend.pool.project_cache import find_project
from backend.pool.tick_counts import tick_counts
from backend.projects.current import Current
from backend.services import Services
from model.labels import AnswerKind

LOOKED_AT = 2_000  # tasks of a project that are looked at when it is connected
ENOUGH = 10  # annotations of before, from which on they tell
CLEAR = 0.2  # share of them with several labels
DECIDED = 30  # annotations that tell by having one label each, or can contradict the meaning
CONTRADICTS = 0.3  # share of them with several ticks, where one label is right
CHANGE = "shortlist connect {project} --option ANSWER={answer}"


def meant(
    services: Services,
    label_studio: LabelStudio,
    number: int,
    stated: Mapping[str, Any],
    overrides: Mapping[str, object],
) -> tuple[str, list[str]]:
    """At the first connecting, where neither option nor label config says what ticks mean: what existing annotations
    say, as the option ANSWER ("" for what is in force anyway), and a sentence for each question."""
    known = find_project(services.engine, number, created_of(stated))
    options = services.settings.for_project(dict(overrides))
    try:
        xml, former = str(stated.get("label_config") or ""), known is not None and known.former
        control = read_project_config(xml, options, former)
    except LabelingConfigError:  # it is reported where it is remembered
        return "", []
    found = told_by_annotations(label_studio, number, control)
    alone = len(control.questions) == 1
    answer = ",".join(other if alone else f"{name}={other}" for name, other, _, _ in found)
    return answer, [_told(number, *row, alone=alone) for row in found]


def _told(number: int, name: str, answer: str, annotations: int, several: int, *, alone: bool) -> str:
    other = {"one": "several", "several": "one"}[answer]
    change = CHANGE.format(project=number, answer=other if alone else f"{name}={other}")
    if answer == "several":
        return (
            f'{several} of {annotations} annotations of "{name}" have several labels, so several are taken to be right '
            f"at once (ANSWER=several); if they are shortlists of one, `{change}`"
        )
    return (
        f'None of {annotations} annotations of "{name}" has more than one label, so ticks are taken for a shortlist of '
        f"one right label (ANSWER=one); if several can be right at once, `{change}`"
    )


def told_by_annotations(
    label_studio: LabelStudio, project: int, control: Control
) -> list[tuple[str, AnswerKind, int, int]]:
    """Where annotations among the first tasks of a project say something else than what is in force: the question, what
    an answer is then, annotations that answer it, and those of them with more than one label.

    Only of questions of which nobody said what their ticks mean, and which the option ANSWER can name.
    """
    answers = {one.name: list[int]() for one in control.questions if one.guessed and not {*one.name} & {*"=,"}}
    for task in itertools.islice(label_studio.tasks(project), LOOKED_AT) if answers else ():
        for annotation in task.get("annotations") or []:
            for question, own in control.by_question(chosen_labels(control, annotation.get("result"))):
                answers.get(question.name, []).append(len(own))
    found = list[tuple[str, AnswerKind, int, int]]()
    for question in control.questions:
        sizes = answers.get(question.name, [])
        several = sum(size > 1 for size in sizes)
        if question.answer == "one" and len(sizes) >= ENOUGH and several >= CLEAR * len(sizes):
            found.append((question.name, "several", len(sizes), several))
        if question.answer == "several" and len(sizes) >= DECIDED and not several:
            found.append((question.name, "one", len(sizes), several))
    return found


def contradiction(current: Current) -> str:
    """A sentence where people's answers do not fit the meaning in force; "" if they do, or are few."""
    space = current.project.space
    counts = tick_counts(current.engine, current.number)
    if space is None or space.questions or counts.answers < DECIDED:  # ticks of several questions are as many
        return ""
    number = current.project.label_studio_id
    if space.several and not counts.several:
        change = CHANGE.format(project=number, answer="one")
        return (
            f"Several labels may be right at once here, but none of {counts.answers} annotations has more than one. If "
            f"exactly one is right, `{change}`: shortlists and students are better then"
        )
    if not space.several and counts.several >= CONTRADICTS * counts.answers:
        change = CHANGE.format(project=number, answer="several")
        return (
            f"One label is right here, but {counts.several} of {counts.answers} annotations have several ticked and "
            f"decide nothing. If several are right at once, `{change}`; else tell people to leave one ticked"
        )
    return ""


def on_page(current: Current) -> dict[str, Any]:
    """For the status: what an answer is, of several questions their names, and whether people contradict that."""
    space = current.project.space
    kind = space.answer if space else None
    found = {"kind": kind, "least": space.least if space else None, "contradiction": contradiction(current) or None}
    asked = [group.name for group in space.questions] if space else []
    return {**found, "questions": asked} if asked else found
