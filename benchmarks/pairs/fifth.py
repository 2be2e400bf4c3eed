"""What the product's student is worth with a fifth of the labels, beside one with all of them.

    python -m benchmarks.pairs.fifth --data DIR --sets mrpc sick_nli --out runs/fifth.json --into docs/evidence/pairs.md

A fifth of a pool, drawn at random, is labelled with gold; the rest is known as texts alone, from which the product
learns by answers of its own, or not at all. Rows are those of `benchmarks.pairs`; pools are those of its rules, and
what was labelled before counts as people's labels, too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from benchmarks.pairs.choosing import FEWEST, Ground
from benchmarks.pairs.docs import joined
from benchmarks.pairs.figures import figures, ranks
from benchmarks.pairs.grounds import grounds
from benchmarks.pairs.material import read
from benchmarks.pairs.students import answers
from benchmarks.pairs.summary import MAIN, ground_of
from benchmarks.shared import tables
from model.arrays import IntArray
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.labels import HumanLabel
from model.train import training_data

SHARE = 0.2
ALONE, WITH_REST, EVERYTHING = "a fifth", "a fifth, the rest unlabelled", "everything"
METHODS = (ALONE, WITH_REST, EVERYTHING)


def measured(ground: Ground, seed: int) -> Iterator[dict[str, object]]:
    """A row per method and metric."""
    pool = len(ground.pool)
    drawn = np.random.default_rng(seed).choice(pool, max(FEWEST, round(SHARE * pool)), replace=False)
    for method in METHODS if seed == 0 else (ALONE, WITH_REST):  # of everything students differ little
        chosen = np.arange(pool) if method == EVERYTHING else np.sort(drawn)
        for metric, value in _figures(ground, chosen, method == WITH_REST, seed).items():
            yield {"dataset": ground.material.name, "split": ground.split, "task": ground.material.task,
                   "method": method, "budget": len(chosen) / pool, "seed": seed, "metric": metric,
                   "value": value}  # fmt: skip


def _figures(ground: Ground, chosen: IntArray, with_rest: bool, seed: int) -> dict[str, float]:
    """Of a student that learned what is known and the chosen rows of the pool, and others' texts if they count."""
    material = ground.material
    parts = [ground.known, ground.pool.of(chosen)]
    texts = [text for part in parts for text in part.texts]
    names = material.space.names
    decided: list[HumanLabel | None] = [HumanLabel((names[label],)) for part in parts for label in part.gold]
    if with_rest:
        rest = ground.pool.of(np.setdiff1d(np.arange(len(ground.pool)), chosen)).texts
        texts, decided = [*texts, *rest], [*decided, *[None] * len(rest)]
    drawn = [None if label is None else 1.0 for label in decided]
    data = training_data(material.space, texts, [None] * len(texts), decided, drawn)
    shares, scores = answers(material, ground.test, data, ground.embed, seed)
    found = figures(material, ground.test, shares)
    return found | (ranks(material, ground.test, scores) if material.task == "search" else {})


def table(rows: Sequence[dict[str, Any]]) -> str:
    """One line per pool: the main metric of each method, and what a fifth is of everything."""
    values: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        if row["metric"] == MAIN[row["task"]]:
            values.setdefault(ground_of(row)[0], {}).setdefault(row["method"], []).append(row["value"])
    lines = ["| pool | " + " | ".join(METHODS) + " | of everything | with the rest |", "|" + " --- |" * 6]
    for name, methods in values.items():
        alone, rest, everything = (float(np.mean(methods[method])) for method in METHODS)
        shares = " | ".join(f"{100 * one / everything:.1f} %" for one in (alone, rest))
        lines.append(f"| {name} | {alone:.3f} | {rest:.3f} | {everything:.3f} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, write the rows, and the table into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets of pairs")
    parser.add_argument("--sets", nargs="+", required=True, help="which of them")
    parser.add_argument("--splits", default="", help="only pools whose name begins so, such as `without`")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1500, help="pairs of each part, at most")
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON")
    parser.add_argument("--into", type=Path, help="the page for the table")
    parser.add_argument("--cache", type=Path, default=Path("runs/pairs-cache"), help="embeddings")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    for name in given.sets:
        for ground in grounds(read(given.data / name, given.rows), embed, given.cache, adapting=False):
            if ground.split.startswith(given.splits):
                for seed in range(given.seeds):
                    rows += measured(ground, seed)
                print(table(rows), flush=True)
                given.out.write_text(json.dumps({"rows": rows}, indent=1))
    if given.into:
        tables.keep(given.into, {"fifth": joined(given.into, "fifth", table(rows))})


if __name__ == "__main__":
    main()
