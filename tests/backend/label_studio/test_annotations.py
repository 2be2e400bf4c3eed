"""Annotations as people and programs leave them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.label_studio.annotations import chosen_labels, read_annotation
from backend.label_studio.control import Control
from backend.label_studio.fields import identifier, utc_text
from backend.label_studio.label_config import read_labeling_config
from tests.support.configs import CONFIG_A, CONFIG_B, TAXONOMY, view

STARS = read_labeling_config(view('<Rating name="r" toName="text"/>'))
A, B, TAX = (read_labeling_config(xml) for xml in (CONFIG_A, CONFIG_B, TAXONOMY))


def region(labels: list[Any], name: str = "label", kind: str = "choices") -> dict[str, Any]:
    return {"id": "x", "from_name": name, "to_name": "text", "type": kind, "value": {kind: labels}}


def annotation(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": 3, "task": 5, "completed_by": 1, "was_cancelled": False, "ground_truth": False,
        "result": [region(["billing"])], "prediction": {},
        "created_at": "2026-11-21T05:43:14.889226Z", "updated_at": "2026-11-21T05:43:15Z",
    }  # fmt: skip
    return {**body, **changes}


def test_ticked_labels_are_read_once_and_in_order() -> None:
    assert chosen_labels(A, [region(["refund", "billing", "refund"])]) == ("refund", "billing")


def test_the_list_of_candidates_is_never_parsed() -> None:
    lines = {"from_name": "candidates", "to_name": "text", "type": "textarea", "value": {"text": ["billing 61 %"]}}
    assert chosen_labels(B, [lines, region(["refund"])]) == ("refund",)


def test_labels_that_are_gone_are_dropped() -> None:
    assert chosen_labels(A, [region(["removed", "other"])]) == ("other",)


def test_paths_become_labels() -> None:
    paths = [["money", "in"], ["parcel"], ["gone"]]
    assert chosen_labels(TAX, [region(paths, "tax", "taxonomy")]) == ("money / in", "parcel")
    assert chosen_labels(A, [region([["billing"], ["billing", "refund"]])]) == ("billing",)


@pytest.mark.parametrize(
    ("control", "name", "value", "labels"),
    [
        (A, "label", {"choices": "refund"}, ("refund",)),
        (TAX, "tax", {"taxonomy": ["money", "in"]}, ("money / in",)),
        (TAX, "tax", {"taxonomy": ["money", "parcel"]}, ("money", "parcel")),
        (TAX, "tax", {"taxonomy": "parcel"}, ("parcel",)),
        (STARS, "r", {"rating": "4"}, ("4",)),
        (STARS, "r", {"rating": 4.0}, ("4",)),
    ],
)
def test_forms_that_other_programs_write_are_read(control: Control, name: str, value: Any, labels: Any) -> None:
    assert chosen_labels(control, [{"from_name": name, "value": value}]) == labels


@pytest.mark.parametrize("value", [{"choices": {"refund": True}}, {"choices": [None]}, {"choices": 3}])
def test_what_cannot_be_understood_is_not_taken_for_no_label(value: Any) -> None:
    row = read_annotation(A, annotation(result=[{"from_name": "label", "value": value}]), 5)
    assert row.labels == ()
    assert len(row.unknown) == 1


def test_a_region_of_a_part_is_no_answer_about_the_whole() -> None:
    part = region(["refund"])
    part["value"] |= {"start": 0, "end": 3, "text": "a b"}
    assert chosen_labels(A, [part, region(["billing"])]) == ("billing",)


def test_an_annotation_becomes_a_row() -> None:
    row = read_annotation(A, annotation(), 5)
    assert (row.annotation, row.task, row.annotator, row.labels) == (3, 5, 1, ("billing",))
    assert (row.state, row.ground_truth) == ("labelled", False)
    assert row.updated_at == "2026-11-21T05:43:15.000000Z"
    assert (row.shown_version, row.shown_labels, row.shown_score) == (None, None, None)


def test_skips_and_empty_submissions_are_told_apart() -> None:
    assert read_annotation(A, annotation(was_cancelled=True, result=[]), 5).state == "skipped"
    assert read_annotation(A, annotation(result=[]), 5).state == "empty"
    assert read_annotation(A, annotation(was_cancelled=True), 5).labels == ()


def test_what_the_person_was_shown_is_kept() -> None:
    shown = {"id": 4, "model_version": "student-3-9f2c1a", "score": 0.5, "result": [region(["other", "billing"])]}
    row = read_annotation(A, annotation(prediction=shown, completed_by={"id": 8}), 5)
    assert (row.shown_version, row.shown_labels, row.shown_score) == ("student-3-9f2c1a", ("other", "billing"), 0.5)
    assert row.annotator == 8
    for score in (math.nan, "high", None, True):
        assert read_annotation(A, annotation(prediction={**shown, "score": score}), 5).shown_score is None


def test_almost_everything_may_be_missing() -> None:
    row = read_annotation(A, {"id": 3}, 5)
    assert (row.state, row.updated_at, row.annotator) == ("empty", "", None)
    with pytest.raises(ValueError, match="the id 'None'"):
        read_annotation(A, {}, 5)


@pytest.mark.parametrize(("value", "expected"), [(7, 7), ("7", 7), (0, None), (-1, None), (True, None), (2**63, None),
                                                 ("9" * 30, None), ("٣", None), (7.0, None), (None, None)])  # fmt: skip
def test_ids_are_positive_and_fit_the_pool(value: Any, expected: int | None) -> None:
    assert identifier(value) == expected


def test_times_compare_as_text() -> None:
    times = ["2026-11-21T05:43:14Z", "2026-11-21T05:43:14.5Z", "2026-11-21T07:43:15+02:00", "2026-11-21T05:43:16"]
    texts = [utc_text(time) for time in times]
    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {27}
    assert [utc_text(value) for value in ("soon", 7, None, "0001-01-01T00:00:00+14:00")] == [""] * 4


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["from_name", "value", "choices", "label", "result", "model_version", "id"]),
                        inner, max_size=4), max_leaves=12)  # fmt: skip


@given(st.dictionaries(st.sampled_from(sorted(annotation())), JSON))
def test_any_body_with_an_id_is_read(body: dict[str, Any]) -> None:
    row = read_annotation(A, {**body, "id": 3}, 5)
    assert set(row.labels) <= set(A.space.names)


def test_a_version_that_no_database_could_hold_is_cleaned() -> None:
    row = read_annotation(A, annotation(prediction={"model_version": "v\x00\ud800", "result": []}), 5)
    assert row.shown_version == "v��"
