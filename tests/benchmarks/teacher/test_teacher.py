"""The teacher's benchmark on a tiny folder, with the real encoder, and the arithmetic of its prices."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from benchmarks.teacher import docs
from benchmarks.teacher.__main__ import cost_row, main
from model.teacher.providers.prices import Price


def test_a_run_writes_flat_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "trec"
    folder.mkdir()
    (folder / "labels.json").write_text('["location", "number"]')
    rows = [{"text": "Where is Rome?", "label": "location"}, {"text": "How many legs has a spider?", "label": "number"}]
    with gzip.open(folder / "train.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    out = tmp_path / "teacher.json"
    asked = ["teacher", "--data", str(tmp_path), "--out", str(out), "--quick", "--cache", str(tmp_path / "cache")]
    for part in ("quality", "all", "all"):  # what was measured is kept, and measured once
        monkeypatch.setattr(sys, "argv", [*asked, "--only", part])
        main()
    found = json.loads(out.read_text())
    (quality,) = [row for row in found["rows"] if row["what"] == "quality"]
    assert (quality["dataset"], quality["rows"], quality["coverage"]) == ("trec", 2, 1.0)
    costs = {(row["strategy"], row["way"]): row for row in found["rows"] if row["what"] == "cost"}
    assert costs["all", "plain, batch"]["usd"] == pytest.approx(costs["all", "plain"]["usd"] / 2, abs=1e-4)
    assert costs["all", "5 texts per call, cached"]["input_tokens"] < costs["all", "plain"]["input_tokens"]
    assert found["summary"]["part"] == "train"


def test_prices_per_thousand_tasks() -> None:
    price = Price(1.0, 10.0, 0.1, 1.25, 0.5)
    row = cost_row("x", "all", "cached", price, (1000.0, 800.0, 1, 10), batch=True)
    assert (row["input_tokens"], row["cached_tokens"], row["output_tokens"]) == (1_000_000, 800_000, 10_000)
    assert row["usd"] == pytest.approx((0.2 + 0.08 + 0.1) / 2)
    assert cost_row("x", "all", "5", price, (1000.0, 0.0, 5, 10), batch=False)["input_tokens"] == 200_000


def test_the_page_gets_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    price = Price(1.0, 10.0, 0.1, 1.25, 0.5)
    more = {"model": "m", "true_label_shown": 0.95}
    costs = [cost_row("trec", "all", "plain", price, (100.0, 0.0, 1, 10), batch) | more for batch in (False, True)]
    faults = {"tasks": 10, "tasks_per_call": 1, "share_of_the_servers_limit": 0.93, "faults": {"good": 10}}
    llm = {"what": "llm", "dataset": "trec", "model": "tiny", "part": "test", "rows": 4, "coverage": 0.5,
           "coverage_low": 0.2, "coverage_high": 0.8,
           "top1": 0.5, "top1_low": 0.2, "top1_high": 0.8, "set_size": 1.5, "abstained": 1,
           "unparsed": 0, "calls": 4, "input_tokens": 400, "cached_tokens": 300, "output_tokens": 40}  # fmt: skip
    ways = {"all, no examples": "1100", "all, fixed": "1111", "all, fixed, 5 texts per call": "0111"}
    asked = [{**llm, "way": way, "hits": hits} for way, hits in ways.items()]
    for name, run in (("cost", {"rows": [*costs, *asked], "summary": {"prices": "2026-10-25"}}),
                      ("faults", {"rows": [], "summary": faults})):  # fmt: skip
        (tmp_path / f"{name}.json").write_text(json.dumps(run))
    page = tmp_path / "page.md"
    names = ("price", "prices", "faults", "llm")
    page.write_text("before\n" + "".join(f"<!-- {name} -->\nold\n<!-- end of {name} -->\n" for name in names) + "after")
    runs = [str(tmp_path / f"{name}.json") for name in ("cost", "faults")]
    monkeypatch.setattr(sys, "argv", ["teacher_docs", *runs, "--into", str(page)])
    docs.main()
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert "old" not in text
    assert text.count("| TREC (6 labels) | `m` | all | plain | 100,000 | 0 | 10,000 | $0.200 | $0.100 | 95.0% |") == 2
    assert "| share of the servers limit | 0.93 |" in text
    assert "price table of 2026-10-25" in text
    assert (
        "| TREC (6 labels) | all, no examples | 50.0 (20 to 80) | 1.50 | 50.0 (20 to 80) |  | 1 | 4 | 400 | 300 | 40 |"
        in text
    )
    assert "| +50.0 ± 49.0 |" in text  # fixed examples against none, on the same texts
    assert "| -25.0 ± 42.4 |" in text  # five texts per call against one
