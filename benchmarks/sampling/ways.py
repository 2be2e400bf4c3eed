"""Why do 20 % of the labels not give 98 % of labelling everything? Ways to learn from the same tasks, on train texts.

python -m benchmarks.sampling.ways [--data DIR] [--seeds 3] --out FILE.json

Tasks are chosen by sharp-clusters, as in benchmarks.sampling; then students are fitted in different ways. Rows:
split, labeller, shifted, seed, way, accuracy, everything (the same way with labels for the whole pool),
plain_everything.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sampling.run import BUDGETS, Draw, accuracy, draw, learn, make_pool, with_rest
from benchmarks.sampling.splits import corpora, splits
from benchmarks.shared.linear_student import RIDGE, LinearStudent, fit
from model.acquisition.rules import rule
from model.acquisition.selection import select
from model.arrays import FloatArray, IntArray
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder

SETS = ("trec", "ag_news", "babe", "mr")  # the sets on which settings were chosen
RULE = "sharp-clusters"  # it led on train texts
COPIES = 3  # of the target's labels, against those of the source
NEIGHBOURS, SPREAD_TURNS = 10, 5

Way = Callable[[Draw, IntArray], LinearStudent]


def plain(drawn: Draw, bought: IntArray) -> LinearStudent:
    """Source and bought labels, as in benchmarks.sampling."""
    return learn(drawn, bought)


def ridge(factor: float) -> Way:
    """Less regularisation: more labels might bear it."""

    def way(drawn: Draw, bought: IntArray) -> LinearStudent:
        return fit(*labelled(drawn, bought, 1), RIDGE * factor)

    return way


def copies(drawn: Draw, bought: IntArray) -> LinearStudent:
    """The target's labels count more than the source's."""
    return fit(*labelled(drawn, bought, COPIES))


def target_only(drawn: Draw, bought: IntArray) -> LinearStudent:
    """Nothing of the source."""
    return fit(drawn.pool_vectors[bought], drawn.pool.said[bought])


def self_training(drawn: Draw, bought: IntArray) -> LinearStudent:
    """The student's own sharpened answers for the rest of the pool."""
    return (
        with_rest(drawn, learn(drawn, bought), bought) if len(bought) < len(drawn.pool.texts) else plain(drawn, bought)
    )


def spreading(drawn: Draw, bought: IntArray) -> LinearStudent:
    """Answers for the rest are averaged over the nearest neighbours, where labels stay as they are."""
    rest = np.setdiff1d(np.arange(len(drawn.pool.texts)), bought)
    first = learn(drawn, bought)(drawn.pool_vectors)
    first[bought] = drawn.pool.said[bought]
    similar = drawn.pool_vectors @ drawn.pool_vectors.T
    np.fill_diagonal(similar, -1.0)
    near = np.argpartition(-similar, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    weights = np.take_along_axis(similar, near, axis=1).clip(0) ** 4
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    found = first.copy()
    for _ in range(SPREAD_TURNS):
        found = 0.5 * first + 0.5 * np.einsum("nk,nkc->nc", weights, found[near])
        found[bought] = drawn.pool.said[bought]
    vectors, targets = labelled(drawn, bought, 1)
    rows = found[rest].astype(np.float32)
    return fit(np.concatenate([vectors, drawn.pool_vectors[rest]]), np.concatenate([targets, rows]))


WAYS: dict[str, Way] = {
    "plain": plain,
    "ridge / 3": ridge(1 / 3),
    "ridge / 10": ridge(1 / 10),
    "target three times": copies,
    "target only": target_only,
    "label spreading": spreading,
    "self-training": self_training,
}


def labelled(drawn: Draw, bought: IntArray, times: int) -> tuple[FloatArray, FloatArray]:
    """Vectors and targets of the source, and of what was bought so many times."""
    vectors = np.concatenate([drawn.source_vectors, *[drawn.pool_vectors[bought]] * times])
    return vectors, np.concatenate([drawn.source.said, *[drawn.pool.said[bought]] * times])


def chosen(drawn: Draw) -> IntArray:
    """What the rule buys with the largest budget, step by step."""
    bought: IntArray = np.zeros(0, np.int64)
    for step, budget in enumerate(BUDGETS):
        pool = make_pool(drawn, learn(drawn, bought), bought, ("student",), "similarity")
        eligible = np.setdiff1d(np.arange(pool.size), bought)
        count = round(budget * pool.size) - len(bought)
        bought = np.concatenate([bought, select(pool, rule(RULE), count, eligible, 1000 * drawn.seed + step).rows])
    return bought


def measured(drawn: Draw) -> list[dict[str, Any]]:
    """Rows of one split and seed."""
    bought, whole = chosen(drawn), np.arange(len(drawn.pool.texts))
    base = {"split": drawn.split.name, "labeller": drawn.split.labeller, "shifted": drawn.split.shifted}
    most = accuracy(drawn, plain(drawn, whole))
    rows = []
    for name, way in WAYS.items():
        own = most if name in ("plain", "self-training", "label spreading") else accuracy(drawn, way(drawn, whole))
        result = {"way": name, "accuracy": accuracy(drawn, way(drawn, bought)), "everything": own}
        rows.append({**base, "seed": drawn.seed, **result, "plain_everything": most})
    return rows


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Shares of labelling everything, in percent: by the same way, and by the plain way."""
    groups_shown = ("shifted", "shifted, LLM labels", "in-domain")
    head = ["way", *(title for group in groups_shown for title in (group, f"{group}, of plain"))]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in WAYS:
        mine = [row for row in rows if row["way"] == name]
        groups = (
            [row for row in mine if row["shifted"]],
            [row for row in mine if row["shifted"] and row["labeller"] != "gold"],
            [row for row in mine if not row["shifted"]],
        )
        cells = [
            f"{100 * np.mean([row['accuracy'] / row[ceiling] for row in group]):.1f}" if group else ""
            for group in groups
            for ceiling in ("everything", "plain_everything")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print the table, write rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "shortlist" / "embeddings")
    options = parser.parse_args(arguments)
    embed = EmbeddingCache(options.cache, load_encoder("default", 1)).embed
    found = [split for corpus in corpora(options.data, options.sets) for split in splits(corpus, embed, False)]
    rows = [row for split in found for seed in range(options.seeds) for row in measured(draw(split, seed, embed))]
    options.out.write_text(json.dumps({"rows": rows, "summary": {"seeds": options.seeds}}, indent=1))
    print(markdown(rows))


if __name__ == "__main__":
    main()
