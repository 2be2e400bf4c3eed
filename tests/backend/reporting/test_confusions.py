"""Confusions, links into Label Studio and charts: plain functions of what was counted."""

from __future__ import annotations

import base64
import gzip
import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.label_studio.links import MOST_TASKS, tasks_link
from backend.pool.figures import Pair
from backend.reporting.charts import Point, learning_curve, set_sizes, stopping_curve
from backend.reporting.confusions import confusions

NAMES = ("billing", "refund", "other")
labels = st.sampled_from(NAMES)


@given(st.lists(st.builds(lambda gold, first: (gold, first), labels, labels), max_size=40))
def test_every_task_is_in_exactly_one_cell(rows: list[tuple[str, str]]) -> None:
    pairs = [Pair(task, gold, (first,)) for task, (gold, first) in enumerate(rows)]
    found = confusions(pairs, NAMES)
    assert found.matrix is not None
    assert sorted(task for cell in found.matrix.values() for task in cell.tasks) == list(range(len(rows)))
    wrong = sum(len(cell.tasks) for cell in found.cells)
    assert wrong == sum(gold != first for gold, first in rows)
    assert (found.accuracy is None) == (found.macro_f1 is None) == (not rows)
    if found.accuracy:
        assert found.accuracy.value == pytest.approx(1 - wrong / len(rows))
        assert found.accuracy.low - 1e-9 <= found.accuracy.value <= found.accuracy.high + 1e-9


def test_a_label_on_the_shortlist_is_covered_but_not_right() -> None:
    found = confusions([Pair(1, "refund", ("billing", "refund"))], NAMES)
    assert (found.accuracy, found.coverage) != (None, None)
    assert found.accuracy is not None
    assert found.coverage is not None
    assert (found.accuracy.value, found.coverage.value) == (0.0, 1.0)
    assert [(cell.person, cell.predicted, cell.tasks) for cell in found.cells] == [("refund", "billing", (1,))]


def test_many_labels_give_a_list_instead_of_a_matrix() -> None:
    assert confusions([], [f"label {number}" for number in range(77)]).matrix is None


def test_a_link_holds_a_tab_that_label_studio_unpacks() -> None:
    link = tasks_link("http://ls", 7, range(100, 300), "refund shown as billing")
    address, _, code = link.partition("?tab=")
    assert address == "http://ls/projects/7/data"
    tab = json.loads(gzip.decompress(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))))
    assert tab["filters"]["conjunction"] == "or"
    assert [item["value"] for item in tab["filters"]["items"]] == list(range(100, 100 + MOST_TASKS))
    assert tasks_link("", 7, [1], "x") == ""


def test_charts_are_well_formed_without_scripts_and_carry_their_nonce() -> None:
    points = [Point(20, 0.5, 0.3, 0.7, "student-1"), Point(40, 0.8, 0.6, 0.9, "student-2 <b>")]
    changes = stopping_curve([(40, 0.2), (90, 0.01)], 0.02, "abc", stopped=90)
    for chart in (learning_curve(points, "abc"), set_sizes([(1, 5), (2, 9)], "abc"), changes):
        ElementTree.fromstring(chart)
        assert "<script" not in chart
        assert 'nonce="abc"' in chart
        assert "aria-label=" in chart
    close = stopping_curve([(47, 0.03), (50, 0.03)], 0.02)
    assert ">47<" in close
    assert "47." not in re.sub(r'"[^"]*"', "", close)
    assert learning_curve(points[:1]) == ""
    assert set_sizes([]) == ""
    assert stopping_curve([(40, 0.2)], 0.02) == ""


def test_the_number_of_labels_from_which_they_stopped_to_pay_is_marked() -> None:
    points = [Point(20, 0.5, 0.3, 0.7, "student-1"), Point(40, 0.8, 0.6, 0.9, "student-2")]
    changes = [(20, 0.2), (40, 0.01)]
    for draw in (learning_curve(points), stopping_curve(changes, 0.02)):
        assert "serie-3" not in draw
    for draw in (learning_curve(points, stopped=30), stopping_curve(changes, 0.02, stopped=30)):
        assert draw.count("serie-3") >= 1
