"""The speed benchmark measures ratios within rounds, and its result has the shape that others rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.speed import __main__
from benchmarks.speed.docs import renewed
from benchmarks.speed.report import markdown, plot
from benchmarks.speed.rows import interleaved, percentile, ratio
from benchmarks.speed.scale import large_rows, scale_rows


def test_the_order_of_the_sides_turns_and_ratios_are_taken_within_a_round() -> None:
    order: list[str] = []
    values = {"a": iter([2.0, 9.0, 30.0]), "b": iter([1.0, 3.0, 10.0])}

    def measure(name: str) -> float:
        order.append(name)
        return next(values[name])

    found = interleaved(3, {"a": lambda: measure("a"), "b": lambda: measure("b")})
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert ratio(found["a"], found["b"]) == 3.0
    assert percentile(range(1, 101), 0.99) == 100
    assert percentile([5.0], 0.5) == 5.0


def test_scaling_compares_the_cost_of_each_step_and_plots_it(tmp_path: Path) -> None:
    rows, summary = scale_rows([300, 900])
    steps = {row["what"] for row in rows if row["unit"] == "us/task"}
    assert steps == {"write tasks", "write candidate sets", "sync", "score", "publish"}
    assert all(row["value"] > 0 for row in rows)
    assert summary["scale_cost_ratio"] > 0
    plot([{"part": "scale", **row} for row in rows], tmp_path / "speed.svg")
    assert "<svg" in (tmp_path / "speed.svg").read_text()


def test_on_postgresql_a_task_at_a_larger_size_is_compared_with_one_at_a_smaller(tmp_path: Path) -> None:
    before = tmp_path / "large" / "900" / "done.json"
    before.parent.mkdir(parents=True)
    before.write_text(json.dumps({"write tasks": [0, 9.0]}))  # of a run that was ended
    rows, summary = large_rows(300, 900, tmp_path / "large")
    (written,) = (row["value"] for row in rows if row["what"] == "write tasks" and row["tasks"] == 900)
    assert written > 1e6 * 9.0 / 900
    assert not before.exists()
    cost = {size: sum(row["value"] for row in rows if row["unit"] == "us/task" and row["tasks"] == size)
            for size in (300, 900)}  # fmt: skip
    whole, worst = summary.values()
    assert whole == pytest.approx(cost[900] / cost[300])
    assert worst >= whole
    assert {row["method"] for row in rows} == {"PostgreSQL"}


def test_the_result_has_all_summary_keys_and_keeps_other_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"what": "x", "method": "y", "seed": 0, "value": 1.0, "unit": "s"}
    monkeypatch.setattr(
        __main__,
        "parts",
        lambda *_: {"http": lambda: ([row], {"predict_1": 0.9}), "scale": lambda: ([row], {"more": 2.0})},
    )
    out = tmp_path / "speed.json"
    __main__.main(["--out", str(out)])
    __main__.main(["--only", "http", "--out", str(out)])
    result = json.loads(out.read_text())
    assert [row["part"] for row in result["rows"]] == ["scale", "http"]
    assert set(__main__.SUMMARY) <= set(result["summary"])
    assert (result["summary"]["predict_1"], result["summary"]["more"]) == (0.9, 2.0)
    assert result["summary"]["webhook_p99_ms"] is None
    assert "| 0.9 | ≥ 0.9 |" in markdown(result)
    assert out.with_suffix(".md").is_file()


def test_a_run_of_some_parts_renews_their_lines_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    kept = [{"table": "aims", "what": what, "measured": "1", "aim": ""} for what in ("one", "two")]
    kept.append({"table": "measurements", "what": "other", "measured": "1", "aim": ""})
    page.with_suffix(".json").write_text(json.dumps({"rows": kept}))
    run = "| what | measured | aim |\n|---|---|---|\n| two | 9 | ≥ 2 |\n| three | 3 |  |"
    lines = renewed(page, "aims", run, ("what",)).splitlines()
    assert lines[2:] == ["| one | 1 |  |", "| two | 9 | ≥ 2 |", "| three | 3 |  |"]
