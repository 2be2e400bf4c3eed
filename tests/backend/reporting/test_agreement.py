"""Agreement of several people, against a textbook example and against its own rules."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from backend.pool import annotations
from backend.pool.annotations import Annotation
from backend.reporting.agreement import Agreement, agreement, of_values
from model.groups import Group
from model.labels import Label, LabelSpace
from tests.support.samples import PROJECT, add_project

# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), part C: nominal data, four observers, alpha 0.743.
TEXTBOOK = ["1 2 3 3 2 1 4 1 2 * * *", "1 2 3 3 2 2 4 1 2 5 * 3", "* 3 3 3 2 3 4 2 2 5 1 *", "1 2 3 3 2 4 4 1 2 5 1 *"]


def test_the_textbook_example() -> None:
    columns = zip(*(line.split() for line in TEXTBOOK), strict=True)
    units = [[frozenset(value) for value in column if value != "*"] for column in columns]
    found = of_values(units)
    assert found.alpha == pytest.approx(0.743, abs=0.001)
    assert found.tasks == 11


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), max_size=20))
def test_bounds_and_perfect_agreement(rows: list[list[str]]) -> None:
    found = of_values([[frozenset(value) for value in row] for row in rows])
    assert found.percent is None or 0 <= found.percent <= 1
    assert found.alpha is None or found.alpha <= 1 + 1e-9
    same = of_values([[frozenset(row[0])] * len(row) for row in rows])
    assert same.percent in (None, 1)
    assert same.alpha is None or same.alpha == pytest.approx(1)


def test_several_questions_are_compared_one_by_one(sqlite_engine: sa.Engine) -> None:
    add_project(sqlite_engine)
    names = ("mood=bad", "mood=good", "topics=a", "topics=b")
    groups = (Group("mood", "one", 0, 2), Group("topics", "any", 2, 4, 0))
    space = LabelSpace(tuple(map(Label, names)), "", "several", 1, groups)
    rows = [row(1, 1, 1, "mood=bad", "topics=a"), row(2, 1, 2, "mood=bad"), row(3, 2, 1, "mood=good"),
            row(4, 2, 2, "mood=bad")]  # fmt: skip
    annotations.save(sqlite_engine, PROJECT, rows)
    found = agreement(sqlite_engine, PROJECT, space)
    assert (found.tasks, found.percent) == (2, 0.5)  # who left the topics open does not disagree about them


def row(number: int, task: int, annotator: int | None, *labels: str) -> Annotation:
    state = "labelled" if labels else "skipped"
    return Annotation(number, task, annotator, labels, state, False, f"2026-11-21T05:00:{number:02d}.000000Z")  # type: ignore[arg-type]


def test_only_tasks_of_several_people_count_and_each_persons_newest_word(sqlite_engine: sa.Engine) -> None:
    add_project(sqlite_engine)
    assert agreement(sqlite_engine, PROJECT) == Agreement(0, None, None)
    rows = [row(1, 1, 1, "refund"), row(2, 1, 2, "refund"), row(3, 2, 1, "refund"), row(4, 2, 2, "billing")]
    rows += [row(5, 3, 1, "billing"), row(6, 3, 1, "refund"), row(7, 4, 1, "billing"), row(8, 4, 2)]
    annotations.save(sqlite_engine, PROJECT, rows)
    found = agreement(sqlite_engine, PROJECT)
    assert (found.tasks, found.percent) == (2, 0.5)
