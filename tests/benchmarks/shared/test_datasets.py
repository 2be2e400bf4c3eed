"""Reading a data folder of the documented layout."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.shared.datasets import candidate_set, gold_part, read_space, teacher_part
from model.labels import CandidateSet


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_gold_parts_keep_one_row_per_text(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl.gz", [{"text": "a", "label": "x"}, {"text": "a", "label": "y"}])
    part = gold_part(tmp_path, "train")
    assert (part.texts, part.gold, part.answers) == (("a",), ("x",), (None,))
    (tmp_path / "labels.json").write_text('["x", "y"]')
    assert read_space(tmp_path).names == ("x", "y")


def test_demonstrations_are_left_out() -> None:
    row = {"text": "a", "gold": "x", "llm_label": "y", "candidates": ["x", "y"]}
    part = teacher_part([row, {**row, "text": "b", "demonstration": True}])
    assert part.texts == ("a",)
    assert part.singles == ("y",)
    assert part.answers[0] is not None
    assert part.answers[0].top == "x"


def test_a_single_answer_is_a_set_of_one() -> None:
    rows = [{"text": "a", "gold": "x", "llm_label": "y"}, {"text": "b", "gold": "x", "candidates": []}]
    part = teacher_part(rows)
    assert part.texts == ("a",)
    assert part.answers == (CandidateSet(("y",)),)


def test_probabilities_and_votes_become_confidences() -> None:
    probs = candidate_set({"candidates": ["x", "y"], "probs": {"x": 0.6, "y": 0.3, "z": 0.1}, "votes": {"x": 2}})
    assert probs.confidences == pytest.approx((0.6, 0.3))
    votes = candidate_set({"candidates": ["x", "y"], "votes": {"y": 3, "x": 1}})
    assert (votes.labels, votes.confidences) == (("y", "x"), (0.75, 0.25))
    assert candidate_set({"candidates": ["x"]}).confidences == ()
