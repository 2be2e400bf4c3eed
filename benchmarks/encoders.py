"""What pieces of long texts, and encoders, are worth: a logistic regression on their vectors, tested out of fold.

    .venv/bin/python -m benchmarks.encoders [--data DIR] [--sets a,b] [--encoder NAME] [--quick] --out FILE.json

Each text's pieces are embedded once and joined as the product joins them. Train parts only: what is chosen here may not
have seen a test part. `python -m benchmarks.shared.tables pieces=FILE.json --into docs/evidence/encoders.md` shows it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.datasets import read_rows
from model.arrays import FloatArray
from model.encoder.encoder import Encoder, load_encoder
from model.encoder.runtimes import preferred

SETS = ("film_reviews", "gnad10", "newsgroups20", "medical_abstracts")
PIECES = (1, 2, 4, 8, 16)
FOLDS = 4


def labelled(folder: Path, most: int, seed: int = 5) -> tuple[list[str], list[str]]:
    """Texts and labels of a set's train part, at most so many; the last level of a path is its label."""
    rows = [row for row in read_rows(folder / "train.jsonl.gz") if "text" in row and ("label" in row or "path" in row)]
    chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:most])
    return [rows[row]["text"] for row in chosen], [
        str(rows[row].get("label") or rows[row]["path"][-1]) for row in chosen
    ]


def vectors_of(encoder: Encoder, texts: Sequence[str], pieces: int) -> FloatArray:
    """The texts' vectors, read in so many pieces at most."""
    usage = encoder.usage
    encoder.usage = replace(usage, pieces=pieces)
    try:
        return encoder.embed(texts)
    finally:
        encoder.usage = usage


def accuracy(vectors: FloatArray, labels: Sequence[str], seeds: int) -> float:
    """Share of labels that are right out of fold, percent, over folds and seeds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    truth, found = np.array(labels), []
    for seed in range(seeds):
        for learned, tested in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(vectors, truth):
            model = LogisticRegression(C=10, max_iter=300).fit(vectors[learned], truth[learned])
            found.append((model.predict(vectors[tested]) == truth[tested]).mean())
    return float(100 * np.mean(found))


def rows_of(
    place: Path, name: str, encoder: Encoder, pieces: Sequence[int], most: int, seeds: int
) -> list[dict[str, Any]]:
    """One row per number of pieces."""
    texts, labels = labelled(place, most)
    found = []
    for number in pieces:
        value = accuracy(vectors_of(encoder, texts, number), labels, seeds)
        found.append({"what": "out of fold", "dataset": name, "method": f"{number} pieces", "texts": len(texts),
                      "encoder": encoder.name, "value": value})  # fmt: skip
        print(f"{name} {number} pieces: {value:.2f}", flush=True)
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Pieces of long texts, and encoders")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--quick", action="store_true", help="100 texts of a set, one seed, 1 and 4 pieces")
    parser.add_argument("--texts", type=int, default=1000, help="of a set, at most")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    encoder = load_encoder(given.encoder, 1, half=preferred() == "bfloat16")
    most, seeds, pieces = (100, 1, (1, 4)) if given.quick else (given.texts, given.seeds, PIECES)
    places = [(name, given.data / inner / name) for name in given.sets.split(",") for inner in ("", "answers")]
    there = [(name, place) for name, place in places if (place / "train.jsonl.gz").is_file()]
    if not there:
        parser.error(f"{given.data} has none of the sets {given.sets}")
    rows = [row for name, place in there for row in rows_of(place, name, encoder, pieces, most, seeds)]
    summary = {
        name: {row["method"]: round(row["value"], 1) for row in rows if row["dataset"] == name} for name, _ in there
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"rows": rows, "summary": summary}, indent=1))


if __name__ == "__main__":
    main()
