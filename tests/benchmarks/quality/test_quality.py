"""The quality benchmark on a small data folder: it measures, resumes, and writes its tables."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import __main__, null
from benchmarks.quality.aims import aims_table, runs_text
from benchmarks.quality.docs import NAMES, made
from benchmarks.quality.paired import NEW, OPEN, POOL, differences, packed, shown
from benchmarks.quality.people import paired_table, people_table
from benchmarks.quality.report import markdown, summary
from benchmarks.quality.rows import below_chance, difference
from benchmarks.quality.run import Material, Task, measure
from benchmarks.quality.scale import measured
from benchmarks.shared import datasets, tables
from model.arrays import FloatArray
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
    monkeypatch.setattr(sys, "argv", ["quality", *places, "--seeds", "1", "--epochs", "3", "--points", "10", "20"])
    __main__.main()
    found: dict[str, object] = json.loads(out.read_text())
    return found


def test_it_measures_resumes_and_reports(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(folder, monkeypatch)
    rows = first["rows"]
    assert isinstance(rows, list)
    methods = {row["method"] for row in rows}
    assert {"teacher", "distillation", "uniform", "renormalised", "refinery", "freeal", "shortlist", "gold"} <= methods
    assert {"commonest", "logistic", "soft", "logistic-people"} < methods
    assert {row["variant"] for row in rows if row["method"] == "shortlist"} == {"", "order"}
    for row in rows:
        assert {"dataset", "teacher", "method", "seed", "seconds"} <= set(row)
    assert {row["human"] for row in rows if row["method"] == "supervised"} == {10.0, 20.0}
    assert run(folder, monkeypatch) == first
    text = (folder / "runs" / "quality.md").read_text()
    assert "panel/topics" in text
    assert "shortlist over its rivals" in text
    assert (folder / "runs" / "quality.svg").exists()
    assert (folder / "runs" / "quality-gains.svg").exists()


def test_a_few_labels_that_are_all_alike_teach_that_label(folder: Path) -> None:
    (job,) = datasets.stored_jobs(folder / "data")
    gold = ("money",) * len(job.train)
    material = Material(replace(job, train=replace(job.train, gold=gold)), embed_by_words)
    row = measure(material, Task(job.name, "supervised", 0, 10.0), TrainingOptions(epochs=3))
    assert row["method"] == "supervised"
    assert row["train_accuracy"] == 100


def embed_by_words(texts: Sequence[str]) -> FloatArray:
    return np.array([[text.count(word) for word in "aeiou"] for text in texts], np.float32)


def test_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["quality", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "x.json")])
    with pytest.raises(SystemExit, match="there is no such folder"):
        __main__.main()


def test_quick_takes_what_another_folder_has_and_names_an_empty_one(folder: Path) -> None:
    def jobs(**given: object) -> list[str]:
        options = argparse.Namespace(
            **{"data": folder / "data", "only": [], "quick": True, "rows": None, "variants": ["stored"], **given}
        )
        return [
            job.name for job in __main__.chosen_jobs(options, lambda texts: np.eye(len(texts), 8, dtype=np.float32))
        ]

    assert jobs() == ["panel/topics"]
    new = folder / "data" / "news"
    new.mkdir()
    (new / "labels.json").write_text(json.dumps(list(TOPICS)))
    for part in ("train", "test"):
        with gzip.open(new / f"{part}.jsonl.gz", "wt") as file:
            file.writelines(
                json.dumps({"text": f"{words} {n}", "label": label}) + "\n"
                for n in range(12)
                for label, words in TOPICS.items()
            )
    assert jobs(quick=False) == ["panel/topics", "similarity/news"]
    assert jobs(only=["news"]) == ["similarity/news"]
    with pytest.raises(SystemExit, match="nothing to measure"):
        jobs(only=["trec"])


def row(method: str, train: float, seed: int = 0, **more: object) -> dict[str, object]:
    base = {"dataset": "trec", "teacher": "llm", "variant": "", "method": method, "seed": seed, "human": 0.0}
    return {
        **base,
        "labels": 6,
        "train_rows": 100,
        "train_accuracy": train,
        "test_accuracy": train - 1,
        "seconds": 1.0,
        **more,
    }


def cells(table: str, aim: str) -> list[str]:
    return next([cell.strip() for cell in line.split("|")[2:4]] for line in table.splitlines() if aim in line)


def world() -> list[dict[str, object]]:
    """Two sets: one whose teacher is better than chance, and one whose teacher is not."""
    rows = [row("teacher", 60.0), row("distillation", 61.0), row("distillation", 63.0, 1), row("shortlist", 68.0)]
    rows += [row("logistic", 70.0), row("gold", 96.0), row("shortlist", 67.0, human=50.0)]
    rows += [row("supervised", 66.0, human=50.0), row("logistic-people", 72.0, human=50.0)]
    uneven = [row("teacher", 60.0), row("distillation", 60.0), row("shortlist", 54.0)]
    rows += [one | {"variant": "95"} for one in uneven]
    bad = [row("teacher", 13.0), row("distillation", 13.0), row("shortlist", 93.0)]
    return rows + [one | {"dataset": "csabstruct"} for one in bad]


def test_aims_are_judged_by_the_rows_alone() -> None:
    table = aims_table(world())
    assert cells(table, "even pools, LLMs above chance, pool") == ["yes", "+6.0 (+6.0 to +6.0) on 1 sets"]
    assert cells(table, "told that labels are even: even pools, LLMs above chance, pool")[0] == "not measured"
    below = cells(table, "below plain distillation, pool")
    assert below[0] == "on 1 of 2"
    assert below[1].endswith("lowest: llm/trec+95 -6.0")
    assert cells(table, "below logistic regression on the teacher's labels, pool")[0] == "on 0 of 1"
    assert cells(table, "50 random labels never below none") == [
        "on 0 of 1",
        "mean -1.0 (-1.0 to -1.0); lowest: llm/trec -1.0",
    ]
    assert cells(table, "50 chosen labels never below none")[0] == "not measured"
    assert cells(table, "(the better of head and logistic): 50")[1].endswith("lowest: llm/trec -5.0")
    assert cells(aims_table([]), "LLMs above chance, new texts")[0] == "not measured"
    assert "`shortlist` 1, `distillation` 1 to 2" in runs_text(world())


def test_an_aim_is_missed_beyond_chance_where_the_tasks_themselves_say_so() -> None:
    def on_tasks(method: str, right: int) -> dict[str, object]:
        bits = {POOL: packed(np.arange(100) < right), OPEN: packed(np.ones(100, np.bool_))}
        return row(method, float(right)) | bits

    teacher = row("teacher", 60.0)
    for ours, told in ((60, "on 0 of 1; below it beyond chance 1"), (78, "on 0 of 1; below it beyond chance 0")):
        table = aims_table([teacher, on_tasks("distillation", 80), on_tasks("shortlist", ours)])
        assert cells(table, "below plain distillation, pool")[0] == told


def test_intervals_resample_corpora_and_every_corpus_counts_once() -> None:
    found = {f"llm/a+{name}": {("x", 0.0): 10.0, ("y", 0.0): 0.0} for name in ("75", "85", "95")}
    found["llm/b"] = {("x", 0.0): 0.0, ("y", 0.0): 2.0}
    gain = difference(found, ("x", 0.0), ("y", 0.0))
    assert gain is not None
    assert (gain.mean, gain.low, gain.high) == (4.0, -2.0, 10.0)
    assert gain.lowest == (-2.0, "llm/b")
    assert difference(found, ("x", 0.0), ("z", 0.0)) is None


def test_teachers_below_chance_are_shown_but_in_no_mean() -> None:
    assert below_chance(world()) == {"llm/csabstruct"}
    text = markdown(world())
    assert "| llm/csabstruct (below chance) | 13.0 | 13.0 | 93.0 |" in text.replace(" - |", "")
    assert "before" not in text  # nothing was measured of it
    assert "before" in markdown([*world(), row("before", 62.0)])
    assert summary(world())["gain over plain, even, pool"] == 6.0
    assert summary(world())["gain over plain, uneven, pool"] == -6.0


def test_the_page_gets_its_tables(tmp_path: Path) -> None:
    names = ["runs", "aims", "summary", "scale", *NAMES.values()]
    page = tmp_path / "quality.md"
    page.write_text("\n".join(f"# {name}\n<!-- {name} -->\n<!-- end of {name} -->" for name in names))
    scale = {**row("scale", 90.0), "part": "10", "rows": 1_000_000, "labels": 20, "epochs": 4}
    scale |= {"peak_mib": 900, "private_mib": 500}
    served = row("shortlist", 66.0, 1) | {f"conformal_{name}": 90.0 for name in ("coverage", "served", "size")}
    tables.keep(page, made([*world(), served, scale]))
    text = page.read_text()
    assert "| 1,000,000 | 20 | 4 | 1.0 | 900 | 500 |" in text
    assert all(f"# {name}\n<!-- {name} -->\n\n" in text for name in names)


def test_a_large_pool_is_trained_and_watched() -> None:
    found = measured(600, 3, TrainingOptions(way="head", epochs=3))
    assert (found["rows"], found["part"], found["epochs"]) == (600, "600", 3)
    assert found["train_accuracy"] > found["teacher_accuracy"]
    assert found["peak_mib"] >= found["before_mib"] > 0


def test_one_number_of_labels_has_a_table_of_what_was_measured_with_it() -> None:
    rows = [row("distillation", 60.0), row("shortlist", 62.0), row("shortlist", 70.0, human=50.0)]
    rows += [row("setfit", 80.0, human=50.0), row("setfit", 82.0, 1, human=50.0), row("setfit", 90.0, human=20.0)]
    first, _, job, mean = people_table(rows, 50.0).splitlines()
    assert first == "| pool / new texts | plain, none | none | **shortlist** | alone: SetFit |"
    assert job == "| llm/trec | 60.0 / 59.0 | 62.0 / 61.0 | 70.0 / 69.0 | 81.0 / 80.0 |"
    assert mean.removeprefix("| **mean of sets**") == job.removeprefix("| llm/trec")


def test_methods_are_compared_on_the_same_tasks() -> None:
    def known(method: str, seed: int, right: list[int], open_tasks: list[int], new: list[int]) -> dict[str, object]:
        flags = {POOL: right, OPEN: open_tasks, NEW: new}
        found = {name: packed(np.array(flag, np.bool_)) for name, flag in flags.items()}
        return row(method, 0.0, seed, human=50.0) | found | {"train_rows": 4, "new_texts": 2}

    rows = [
        known("shortlist", 0, [1, 0, 0, 1], [1, 1, 1, 0], [1, 0]),
        known("setfit", 0, [0, 1, 0, 0], [1, 1, 1, 0], [0, 0]),
    ]
    found = differences(rows, ("setfit", 50.0), ("shortlist", 50.0))["llm/trec"]
    assert [shown(one) for one in found] == ["+0.0 ± 113.2", "-50.0 ± 98.0"]
    rows += [
        known("shortlist", 1, [1, 0, 0, 1], [1, 0, 1, 1], [1, 0]),
        known("setfit", 1, [1, 1, 0, 1], [1, 0, 1, 1], [1, 1]),
    ]
    table = paired_table(rows, 50.0, "shortlist").splitlines()
    assert table[0] == "| pool / new texts, points | alone: SetFit |"
    assert table[2] == "| llm/trec | +12.5 ± 61.7 / +0.0 ± 98.0 |"  # tasks: -50, 100, 0, 0; -50, 50
    with_nobody = [row("shortlist", 60.0), row("setfit", 60.0)]
    assert differences(with_nobody, ("setfit", 50.0), ("shortlist", 50.0)) == {}


def test_a_teacher_that_is_right_is_calibrated_and_random_labels_are_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, vectors, truth = null.simulated(3, 0.0, 4000, 1)
    assert data.confidences is not None
    said = data.confidences[np.arange(len(truth)), truth].mean()
    assert abs(float((data.confidences**2).sum(1).mean()) - said) < 0.02  # right as often as it says
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    out = tmp_path / "null.json"
    small = ["--out", str(out), "--draws", "1", "--points", "10", "--rows", "60"]
    monkeypatch.setattr(sys, "argv", ["null", *small])
    null.main()
    found = json.loads(out.read_text())
    assert len(found["rows"]) == found["summary"]["draws"] == len(null.POOLS)
    assert null.table(found["rows"]).splitlines()[2].startswith("| 10 | 7 | ")
    monkeypatch.setattr(sys, "argv", ["null", *small[:-1], "12"])
    with pytest.raises(SystemExit):
        null.main()
