"""When a training may go on from the served student's head."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backend.training.earlier import Earlier, may_go_on
from model.training.options import TrainingOptions, TrainingReport

HOW = TrainingOptions()
NOW = {"rows": 10_000, "labels": 40, "teacher": "teacher-1", "since": 0}


def report(**more: Any) -> dict[str, Any]:
    """What a version keeps of a training that began anew, as it is read back."""
    kept = TrainingReport("shortlist", "head", 10_000, 40, settings=HOW.to_json())
    Earlier(None, NOW, NOW).note(kept)
    content: dict[str, Any] = json.loads(json.dumps(kept.to_json()))
    content["found"] |= more.pop("found", {})
    return content | more


def test_nearly_the_same_data_learned_in_the_same_way_may_go_on() -> None:
    assert may_go_on(report(), NOW, HOW)
    assert may_go_on(report(), {**NOW, "rows": 10_900, "labels": 140}, HOW)
    assert not may_go_on({}, NOW, HOW)  # a version of an earlier release


@pytest.mark.parametrize("now", [{"rows": 11_001}, {"rows": 8_999}, {"labels": 141}, {"labels": 39}, {"teacher": "b"}])
def test_other_data_begin_anew(now: dict[str, Any]) -> None:
    assert not may_go_on(report(), {**NOW, **now}, HOW)


@pytest.mark.parametrize(
    "kept",
    [
        {"unlabelled_rows": 1},
        {"found": {"held_out_floor": {"taken": "people alone"}}},
        {"found": {"anew": {**NOW, "since": 9}}},
    ],
)
def test_a_student_that_others_stand_behind_is_no_beginning(kept: dict[str, Any]) -> None:
    assert not may_go_on(report(**kept), NOW, HOW)


def test_other_settings_begin_anew() -> None:
    assert not may_go_on(report(), NOW, replace(HOW, runtime="bfloat16"))


def test_the_count_grows_only_where_a_training_went_on() -> None:
    found = TrainingReport("shortlist", "head", 10_000, 41, went_on=True)
    Earlier(None, {**NOW, "since": 3}, {**NOW, "labels": 41}).note(found)
    assert found.found["anew"] == {**NOW, "since": 3}
