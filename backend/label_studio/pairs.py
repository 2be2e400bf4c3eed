"""Which two texts of a task a label config has compared: premise and hypothesis, query and document, two answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backend.errors import LabelingConfigError
from backend.label_studio.markup import clipped
from backend.label_studio.questions import Question
from backend.label_studio.sources import VARIABLE, Source
from backend.project_options import ProjectOptions
from model.pairs import Pair

QUERY = "query"
NO_QUERY = "none"  # of GROUP
CROSS_ENCODER_COSTS = (
    "a cross-encoder is tried in the background and used where it helps; then every pair is read once, and "
    "again when it is trained anew, which took 10 to 25 seconds for 1,000 pairs where it was measured"
)


def read_pair(
    sources: Sequence[Source], questions: Sequence[Question], targets: Sequence[str], symmetric: bool, group: str
) -> Pair | None:
    """The two texts that are compared; None where there are not two, or they cannot be told apart in a task's text.

    Two texts on the screen are the pair; of more, the two that a Pairwise points to (`targets`, names of tags).
    GROUP may name a field of the tasks' data that is none of the two. LabelingConfigError where SYMMETRIC or GROUP ask
    for what the config does not have.
    """
    sides = _sides(sources, questions, targets)
    marks = tuple(mark_of(source) for source in sources)
    if sides is None or not all(marks[1:]):
        _refuse_options(sources, symmetric, group)
        return None
    left, right = (name_of(sources[side]) for side in sides)
    sided = any(question.kind == "Pairwise" for question in questions)
    pair = Pair((left, right), marks, sides, symmetric, sided=sided and len(questions) == 1)
    if symmetric and sided:
        raise LabelingConfigError("SYMMETRIC cannot be true for a Pairwise tag: its answer is one of the two sides")
    query = _query([sources[side] for side in sides], symmetric, group)
    return replace(pair, query=query, group=_named(group) if query is None else "")


def sentence(pair: Pair) -> str:
    """What people are told of it."""
    first, second = (f'"{clipped(name)}"' for name in pair.names)
    order = ", whose order does not matter" if pair.symmetric else ""
    field = f'"{clipped(pair.group)}" in their data' if pair.query is None else (first, second)[pair.query]
    shared = f"; tasks with the same {field} are one query" if pair.searches else ""
    return f"Each task is a pair, {first} and {second}{order}{shared}"


def name_of(source: Source) -> str:
    """What a text is called: its field, or its tag where there are several fields or words beside."""
    return source.field or source.name or " ".join(source.fields)


def mark_of(source: Source) -> str:
    """What stands before this text among those of a task, see `task_text`; "" where it begins with a field."""
    if source.title:
        return f"{source.title}: "
    before = VARIABLE.search(source.template)
    return source.template[: before.start()].strip() if before and source.kind in ("text", "header") else ""


def _sides(sources: Sequence[Source], questions: Sequence[Question], targets: Sequence[str]) -> tuple[int, int] | None:
    places = [place for name in targets for place, source in enumerate(sources) if source.name == name]
    if len(places) == 2:
        return places[0], places[1]
    return (0, 1) if len(sources) == 2 else None


def _query(sources: Sequence[Source], symmetric: bool, group: str) -> int | None:
    """Which of the two texts is the query."""
    if group.strip() == NO_QUERY:
        return None
    wanted = _named(group)
    for place, source in enumerate(sources):
        known = {source.name, *source.fields}
        if wanted in known if wanted else not symmetric and QUERY in {name.lower() for name in known}:
            return place
    return None


def _named(group: str) -> str:
    """The field that GROUP names; "" for none."""
    wanted = group.strip().lstrip("$")
    return "" if wanted == NO_QUERY else wanted


def _refuse_options(sources: Sequence[Source], symmetric: bool, group: str) -> None:
    """Options about a pair are refused where there is none."""
    asked = "SYMMETRIC" if symmetric else "GROUP" if group.strip() not in ("", NO_QUERY) else ""
    if not asked:
        return
    names = ", ".join(f'"{clipped(name_of(source))}"' for source in sources) or "none"
    more = "; name the two that are compared with FIELDS" if len(sources) > 2 else ""
    raise LabelingConfigError(
        f"{asked} is about two texts that are compared; the texts that are read are: {names}{more}"
    )


def refuse_cross_encoder(pair: Pair | None, sources: Sequence[Source], several: bool, options: ProjectOptions) -> None:
    """LabelingConfigError where CROSS_ENCODER asks for what a project's config or its other options do not have."""
    if pair is None:
        names = ", ".join(f'"{clipped(name_of(source))}"' for source in sources) or "none"
        more = "; name the two that are compared with FIELDS" if len(sources) > 2 else ""
        raise LabelingConfigError(
            f"CROSS_ENCODER is about two texts that are compared; the texts that are read are: {names}{more}"
        )
    if several:
        raise LabelingConfigError(
            "CROSS_ENCODER answers one question with one right label; leave it out, or name that question with CONTROL"
        )
    chosen = {"MODE": options.MODE, "STUDENT_METHOD": options.STUDENT_METHOD}
    for name, needed in (("MODE", "student"), ("STUDENT_METHOD", "shortlist")):
        if chosen[name] != needed:
            raise LabelingConfigError(f"CROSS_ENCODER needs {name}={needed}, and it is {chosen[name]}")
    if options.STUDENT_TRAINING == "finetune":
        raise LabelingConfigError("CROSS_ENCODER needs STUDENT_TRAINING=auto or head, and it is finetune")
