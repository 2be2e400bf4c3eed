"""The form of a teacher's answer: candidates, what is certain and possible, or such of several questions.

Whoever asks, shows examples or reads answers does it here and need not tell which form it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from model.labels import LabelSpace
from model.teacher.prompting.answers import Parsed, parse, parse_truncated, parse_value, render, render_together
from model.teacher.prompting.intervals import interval_of, parse_interval, render_interval, render_intervals
from model.teacher.prompting.prompts import Strategy
from model.teacher.prompting.question_answers import parse_questions, questions_of
from model.teacher.prompting.question_forms import rendered


def rendered_answer(space: LabelSpace, labels: Sequence[str]) -> str:
    """The answer of a text for which these labels are right."""
    if space.questions:
        return json.dumps(rendered(space, labels), ensure_ascii=False)
    return render_interval(labels) if space.several else render(labels)


def rendered_together(space: LabelSpace, answers: Iterable[Sequence[str]]) -> str:
    """The answer to several texts, numbered from 1."""
    if space.questions:
        rows = [{"text": number, "answer": rendered(space, labels)} for number, labels in enumerate(answers, 1)]
        return json.dumps({"answers": rows}, ensure_ascii=False)
    return (render_intervals if space.several else render_together)(answers)


def likely_answer(space: LabelSpace) -> str:
    """An answer of usual length."""
    if space.questions:
        return rendered_answer(space, [space.names[group.start] for group in space.groups])
    names = space.names[:2]
    return render_interval(names[:1], names[1:]) if space.several else render(names)


def read_answer(raw: str, space: LabelSpace, strategy: Strategy, truncated: bool, most: int) -> Parsed:
    """What an answer to one text says; `most` candidates were asked for."""
    if space.questions:
        return parse_questions(raw, space, strategy, truncated)
    if space.several:
        return parse_interval(raw, space, strategy, truncated)
    return parse_truncated(raw, space, strategy, most) if truncated else parse(raw, space, strategy)


def read_entry(row: dict[str, Any], space: LabelSpace, strategy: Strategy) -> Parsed:
    """What one text's part of an answer to several texts says."""
    if space.questions:
        return questions_of(row.get("answer", row), space, strategy)
    if space.several:
        return interval_of({key: row[key] for key in ("certain", "possible") if key in row}, space, strategy)
    return parse_value({"candidates": row.get("candidates")}, space, strategy)
