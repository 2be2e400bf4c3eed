"""What limits a project: each limit is told where its figures show it, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backend.pool.figures import Pair
from backend.reporting.confusions import confusions
from backend.reporting.limits import limits
from backend.reporting.page_figures import Insight

NAMES = ("billing", "refund", "shipping")


def pairs(*found: tuple[str, tuple[str, ...], int]) -> list[Pair]:
    """(person's label, predicted, how often)."""
    rows = [(label, predicted) for label, predicted, number in found for _ in range(number)]
    return [Pair(task, label, predicted) for task, (label, predicted) in enumerate(rows)]


def insight_of(student: list[Pair], teacher: list[Pair]) -> Insight:
    return Insight(confusions(student, NAMES), confusions(teacher, NAMES), (), (), None, None)


def status_of(agreed: float | None = None, tasks: int = 0, **texts: float) -> dict[str, Any]:
    return {"agreement": {"tasks": tasks, "percent": agreed, "alpha": None}, "left_out": {"texts": texts},
            "teacher": {"name": "offline similarity teacher (no LLM)"}}  # fmt: skip


GOOD = pairs(("billing", ("billing",), 60), ("refund", ("refund",), 40))


def kinds(status: dict[str, Any], found: Insight) -> list[str]:
    return [one["kind"] for one in limits(status, found)]


def test_a_project_without_limits_or_figures_is_told_none() -> None:
    assert limits(status_of(), insight_of(GOOD, GOOD)) == []
    assert limits(status_of(), insight_of([], [])) == []
    few = pairs(("billing", ("refund",), 10))
    assert limits(status_of(0.5, 50), insight_of(few, few)) == []


def test_people_who_agree_no_more_than_answers_are_right_are_the_limit() -> None:
    some = pairs(("billing", ("billing",), 80), ("billing", ("refund",), 10), ("shipping", ("billing",), 10))
    assert "people" in kinds(status_of(0.8, 40), insight_of(some, GOOD))
    assert "people" not in kinds(status_of(0.98, 40), insight_of(some, GOOD))
    assert "people" not in kinds(status_of(0.8, 5), insight_of(some, GOOD))


def test_two_labels_that_student_and_teacher_mix_up_are_named() -> None:
    mixed = pairs(("billing", ("billing",), 70), ("billing", ("refund",), 12), ("refund", ("billing",), 8))
    found = limits(status_of(), insight_of(mixed, mixed))
    assert [one["kind"] for one in found] == ["labels", "teacher"]
    assert found[0]["why"].startswith("20 of the student's 20 mistakes take billing for refund")
    assert "the teacher mixes them up in 20 tasks, too" in found[0]["why"]
    assert "Merge the two labels" in found[0]["step"]


def test_shortlists_that_lack_the_right_label_and_texts_that_the_encoder_does_not_know() -> None:
    lacking = pairs(("billing", ("billing", "refund"), 60), ("shipping", ("billing", "refund"), 40))
    found = limits(status_of(foreign=0.6, cut=0.0), insight_of(GOOD, lacking))
    assert [one["kind"] for one in found] == ["teacher", "encoder"]
    assert "in only 60 % of 100 tasks" in found[0]["why"]
    assert "most often mistaken are shipping" in found[0]["why"]
    assert "an LLM as TEACHER knows more" in found[0]["step"]
    assert "does not know 60 % of the texts" in found[1]["why"]


def test_limits_show_their_tasks() -> None:
    mixed = pairs(("billing", ("billing",), 70), ("billing", ("refund",), 12), ("refund", ("billing",), 8))
    found = replace(insight_of(mixed, mixed), disputed=(3, 5))
    people, labels, *_ = limits(status_of(0.7, 40), found)
    assert people["tasks"] == (3, 5)
    assert labels["tasks"] == tuple(range(70, 90))
