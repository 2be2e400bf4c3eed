"""The benchmark of starting runs everything as people do: the sample, its first shortlists, a second start."""

from __future__ import annotations

from benchmarks.speed.starting import starting_rows


def test_a_first_start_and_a_second_one() -> None:
    rows, summary = starting_rows(1)
    assert {row["what"] for row in rows if row["method"] == "further start"} == {
        "Redis", "Web server", "Label Studio", "Worker", "address"
    }  # fmt: skip
    assert set(summary) == {"first_shortlist_seconds", "restart_seconds"}
    assert all(value > 0 for value in summary.values())
