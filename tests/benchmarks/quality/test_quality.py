"""The quality benchmark on a small data folder: it measures, resumes, and writes its tables."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import __main__
from benchmarks.quality.aims import aims_table, runs_text
from benchmarks.quality.docs import NAMES, made
from benchmarks.quality.report import markdown, summary
from benchmarks.quality.rows import gains
from benchmarks.quality.scale import measured
from benchmarks.shared import tables
from model.training.options import TrainingOptions

TOPICS = {"money": "refund invoice price charge", "parcel": "parcel courier delivery late"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One set that exists only with its teacher, which is wrong on every fifth row."""
    rows = []
    for number in range(120):
        gold = list(TOPICS)[number % 2]
        words = TOPICS[gold].split()
        said = gold if number % 5 else list(TOPICS)[1 - number % 2]
        text = f"{words[number % 4]} {words[(number // 4) % 4]} number {number}"
        votes = {said: 4, next(topic for topic in TOPICS if topic != said): 2}
        rows.append({"text": text, "gold": gold, "llm_label": said, "candidates": list(votes), "votes": votes})
    place = tmp_path / "data" / "teachers" / "panel"
    place.mkdir(parents=True)
    with gzip.open(place / "topics.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    out = folder / "runs" / "quality.json"
    places = ["--data", str(folder / "data"), "--out", str(out), "--cache", str(folder / "cache")]
    monkeypatch.setattr(sys, "argv", ["quality", *places, "--seeds", "1", "--epochs", "3"])
    __main__.main()
    found: dict[str, object] = json.loads(out.read_text())
    return found


def test_it_measures_resumes_and_reports(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(folder, monkeypatch)
    rows = first["rows"]
    assert isinstance(rows, list)
    methods = {row["method"] for row in rows}
    assert {"teacher", "distillation", "uniform", "renormalised", "refinery", "freeal", "shortlist", "gold"} <= methods
    for row in rows:
        assert {"dataset", "teacher", "method", "seed", "seconds"} <= set(row)
    assert {row["human"] for row in rows if row["method"] == "supervised"} == {0.1, 0.2, 0.5, 50.0}
    assert {row["human"] for row in rows if row["method"] == "shortlist-chosen"} == {50.0}
    assert run(folder, monkeypatch) == first
    text = (folder / "runs" / "quality.md").read_text()
    assert "panel/topics" in text
    assert "Gain over plain distillation" in text
    assert (folder / "runs" / "quality.svg").exists()
    assert (folder / "runs" / "quality-gains.svg").exists()


def test_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["quality", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "x.json")])
    with pytest.raises(SystemExit, match="there is no such folder"):
        __main__.main()


def test_quick_takes_what_another_folder_has_and_names_an_empty_one(folder: Path) -> None:
    def jobs(**given: object) -> list[str]:
        options = argparse.Namespace(**{"data": folder / "data", "only": "", "quick": True, **given})
        return [
            job.name for job in __main__.chosen_jobs(options, lambda texts: np.eye(len(texts), 8, dtype=np.float32))
        ]

    assert jobs() == ["panel/topics"]
    new = folder / "data" / "news"
    new.mkdir()
    (new / "labels.json").write_text(json.dumps(list(TOPICS)))
    for part in ("train", "test"):
        with gzip.open(new / f"{part}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps({"text": words, "label": label}) + "\n" for label, words in TOPICS.items())
    assert jobs(quick=False) == ["panel/topics", "similarity/news"]
    assert jobs(only="news") == ["similarity/news"]
    with pytest.raises(SystemExit, match="no set or teacher's answers"):
        jobs(only="trec")


def row(method: str, train: float, seed: int = 0, **more: object) -> dict[str, object]:
    base = {"dataset": "trec", "teacher": "llm", "method": method, "seed": seed, "human": 0.0}
    return {**base, "train_accuracy": train, "test_accuracy": train - 1, "seconds": 1.0, **more}


def cells(table: str, aim: str) -> list[str]:
    return next([cell.strip() for cell in line.split("|")[2:4]] for line in table.splitlines() if aim in line)


def test_aims_are_judged_by_the_rows_alone() -> None:
    rows = [row("teacher", 60.0), row("distillation", 61.0), row("shortlist", 66.0), row("gold", 96.0)]
    rows += [
        row("shortlist", 75.0, human=50.0),
        row("shortlist", 85.0, human=0.05),
        row("supervised", 88.0, human=0.05),
    ]
    table = aims_table(rows)
    assert cells(table, "LLM teachers, train") == ["yes", "+5.0 points"]
    assert cells(table, "+8 with 50 human labels") == ["yes", "llm/trec +14.0"]
    assert cells(table, "with 5 % human labels, `shortlist`")[0] == "no, missed by 6.58"
    assert cells(table, "the same, `shortlist-adapted`") == ["not measured", "-"]
    assert cells(table, "no point of a learning curve")[1].startswith("lowest: llm/trec at 5% -3.0")
    assert cells(table, "no set below -0.3") == ["yes", "lowest +5.0"]
    worse = aims_table([*rows, row("shortlist", 50.0, 1)])
    assert cells(worse, "LLM teachers, train") == ["no, missed by 7.00", "-3.0 points"]
    assert cells(worse, "no set below -0.3")[1] == "llm/trec test -3.0, llm/trec train -3.0"
    assert cells(aims_table([]), "LLM teachers, test")[0] == "not measured"
    assert "`shortlist` has 1 seed" in runs_text(rows)


def test_the_page_gets_its_tables(tmp_path: Path) -> None:
    names = ["runs", "aims", "summary", "scale", *NAMES.values()]
    page = tmp_path / "quality.md"
    page.write_text("\n".join(f"# {name}\n<!-- {name} -->\n<!-- end of {name} -->" for name in names))
    scale = {**row("scale", 90.0), "part": "10", "rows": 1_000_000, "labels": 20, "epochs": 4}
    scale |= {"peak_mib": 900, "private_mib": 500}
    served = row("shortlist", 66.0) | {f"conformal_{name}": 90.0 for name in ("coverage", "served", "size")}
    plain = [row("distillation", 61.0), row("refinery", 60.0)]
    tables.keep(page, made([*plain, served, row("shortlist", 75.0, human=50.0), scale]))
    text = page.read_text()
    assert "| 1,000,000 | 20 | 4 | 1.0 | 900 | 500 |" in text
    assert "| llm/trec | -1.0 | -1.0 | +5.0 | +5.0 |" in text
    assert all(f"# {name}\n<!-- {name} -->\n\n" in text for name in names)


def test_figures_are_made_from_rows() -> None:
    rows = [row("teacher", 60.0), row("distillation", 61.0), row("distillation", 63.0, 1), row("shortlist", 66.0)]
    rows += [row("gold", 96.0), row("shortlist", 75.0, human=50.0), row("shortlist", 85.0, human=0.05)]
    assert gains(rows) == {"llm/trec": {"train_accuracy": 4.0, "test_accuracy": 4.0}}
    found = summary(rows)
    assert found["mean_gain_llm_train"] == 4.0
    assert found["gain_with_50_labels"] == {"llm/trec": 13.0}
    assert found["share_of_gold_with_5_percent"] == pytest.approx(100 * 84 / 95, abs=0.01)
    assert found["conformal_coverage"] is None
    assert "62.0 ± 1.4" in markdown(rows)
    assert "76.0 / 81.0" in markdown(rows)


def test_a_large_pool_is_trained_and_watched() -> None:
    found = measured(600, 3, TrainingOptions(way="head", epochs=3))
    assert (found["rows"], found["part"], found["epochs"]) == (600, "600", 3)
    assert found["train_accuracy"] > found["teacher_accuracy"]
    assert found["peak_mib"] >= found["before_mib"] > 0
