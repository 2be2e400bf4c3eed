"""The steps of a retraining are read from its worker's log: those of the training asked about, in their order."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.speed.steps import MARKS, step_rows

LOG = """2026-11-29T10:00:01.000000Z [info] weighing_beliefs
2026-11-29T10:00:02.000000Z [info] job done job=train
starting
2026-11-29T10:01:00.500000Z [info] weighing_beliefs
2026-11-29T10:01:02.500000Z [info] student_trained
2026-11-29T10:01:02.750000Z [info] runtime checked
2026-11-29T10:01:03.000000Z [info] job done job=annotate
2026-11-29T10:01:04.000000Z [info] job done job=train
2026-11-29T10:01:05.500000Z [info] promoted
2026-11-29T10:01:09.000000Z [info] promoted
"""
SENT = datetime(2026, 11, 29, 10, 1, tzinfo=UTC).timestamp()


def test_a_step_lasts_from_the_one_before_it() -> None:
    rows = step_rows(LOG, SENT, 2, 1_000)
    assert [row["value"] for row in rows] == [0.5, 2.0, 0.25, 1.25, 1.5]
    assert [row["what"] for row in rows] == [f"retrain, {name}" for _, name in MARKS]
    assert {(row["seed"], row["method"]) for row in rows} == {(2, "1000 tasks")}


def test_a_training_that_has_not_ended_has_the_steps_that_it_has_done() -> None:
    assert [row["value"] for row in step_rows(LOG.partition("student_trained")[0], SENT, 0, 1_000)] == [0.5]
