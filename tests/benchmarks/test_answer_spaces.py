"""Levels and trees as `benchmarks.answers` measures them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.answers import spaces

TREE = {"alarm": ["set", "query"], "audio": ["up", "down"]}


def kept(folder: Path, kind: str, labels: object, rows: list[dict[str, object]]) -> Path:
    folder.mkdir()
    (folder / "meta.json").write_text(json.dumps({"kind": kind}))
    (folder / "labels.json").write_text(json.dumps(labels))
    for part in ("train", "test"):
        with gzip.open(folder / f"{part}.jsonl.gz", "wt") as file:
            file.write("\n".join(map(json.dumps, rows)))
    return folder


def test_an_answer_on_the_right_branch_counts_half(tmp_path: Path) -> None:
    rows = [{"text": leaf, "path": [branch, leaf]} for branch, leaves in TREE.items() for leaf in leaves]
    tree = spaces.read(kept(tmp_path / "tree", "taxonomy", TREE, rows), None)
    assert sorted(tree.texts[0]) == ["down", "query", "set", "up"]
    truth = np.array([tree.space.index(leaf) for leaf in ("set", "query", "up", "down")])
    answers = np.array([tree.space.index(leaf) for leaf in ("set", "set", "down", "set")])
    assert spaces.figures(tree, answers, truth) == {"accuracy": 25.0, "branch": 75.0, "hierarchical_f1": 50.0}


def test_parts_of_a_sorted_set_have_all_its_labels(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": f"{level} {row}", "label": level} for level in "12345" for row in range(20)
    ]
    levels = spaces.read(kept(tmp_path / "levels", "ordered", list("12345"), rows), 40)
    assert set(levels.truth[0].tolist()) == {0, 1, 2, 3, 4}
    off = spaces.figures(levels, np.minimum(levels.truth[0] + 1, 4), levels.truth[0])
    assert off["mean_error"] == pytest.approx(float((levels.truth[0] < 4).mean()))
    found = spaces.summary([{"set": "levels", "method": "m", "people": "none", "seed": seed, **off} for seed in (0, 1)])
    assert found["levels, m, none"]["accuracy"] == pytest.approx(off["accuracy"], abs=0.01)


def test_levels_may_be_about_two_texts(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"fields": {"one": "a ", "two": "b"}, "label": level} for level in "012"]
    levels = spaces.read(kept(tmp_path / "pairs", "pairs, ordered", list("012"), rows), None)
    assert levels.pair is not None
    assert levels.pair.parts(levels.texts[0][0]) == ("a", "b")
