"""What ranks documents better than the encoder's cosine, on queries that nothing has learned from.

    python -m benchmarks.pairs.ranking --data DIR --sets cranfield trec_qa --out runs/ranking.json

Each signal is added to the cosine with the weight whose gain in nDCG@10 on the train part's queries is surest (models
learn on other folds of queries), as it is, as z-scores in each query, or as reciprocal ranks; the test part tells what
that is worth. Rows: dataset, way, weight, gain and its standard error on unseen train queries and on test queries.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import structlog
import torch

from benchmarks.pairs.docs import joined
from benchmarks.pairs.material import Material, read
from benchmarks.pairs.ways_to_rank import Both, Ways, centred, fused, scaled
from benchmarks.shared import tables
from model.arrays import Doubles
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.ranking import least_relevant, ndcg, per_query
from model.weak.judges import mean_maximum, weighted_mean

WEIGHTS = (0.1, 0.3, 1.0)
SIGNALS = ("words", "tfidf", "bm25", "best_sentence", "grades", "within_queries", "linear_map")
BAR = mean_maximum(len(WEIGHTS) + 1)  # standard errors that choosing among so many can fake


def compared(material: Material, ways: Ways, signals: Sequence[str] = SIGNALS) -> Iterator[dict[str, object]]:
    """A row per signal and way to add it."""
    cosine = ways.cosine()
    base = _ndcg(material, ways, cosine)
    for name in signals:
        signal = getattr(ways, name)()
        for how, prepared in HOW.items():
            first, more = (prepared(ways, one) for one in (cosine, signal))
            found = {}
            for weight in WEIGHTS if how != "reciprocal ranks" else (1.0,):
                new = _ndcg(material, ways, (first[0] + weight * more[0], first[1] + weight * more[1]))
                found[weight] = [weighted_mean(one - other) for one, other in zip(new, base, strict=True)]
            best = max(found, key=lambda weight: found[weight][0][0] - BAR * found[weight][0][1])
            (unseen, error), (test, spread) = found[best]
            yield {"dataset": material.name, "signal": name, "how": how, "weight": best, "unseen": round(unseen, 4),
                   "error": round(error, 4), "test": round(test, 4), "test_error": round(spread, 4),
                   "chosen": unseen > BAR * error}  # fmt: skip


def _even(ways: Ways, values: Both) -> Both:
    """By one factor, so that signals differ by as much within queries."""
    spread = centred(values[0], ways.parts[0].queries).std() + 1e-9
    return values[0] / spread, values[1] / spread


def _scaled(ways: Ways, values: Both) -> Both:
    return scaled(values[0], ways.parts[0].queries), scaled(values[1], ways.parts[1].queries)


def _fused(ways: Ways, values: Both) -> Both:
    return fused(values[0], ways.parts[0].queries), fused(values[1], ways.parts[1].queries)


HOW = {"added": _even, "z-scores": _scaled, "reciprocal ranks": _fused}


def _ndcg(material: Material, ways: Ways, scores: Both) -> list[Doubles]:
    """nDCG@10 of each query of both parts that has a relevant document."""
    least = least_relevant(len(material.space))
    found = [
        per_query(one.astype(np.float32), rows.gold, rows.queries, lambda ordered, _: ndcg(ordered), least)
        for one, rows in zip(scores, ways.parts, strict=True)
    ]
    return [one[np.isfinite(one)] for one in found]


def table(rows: list[dict[str, object]]) -> str:
    """One line per signal and way, with the gains on each set."""
    sets = list(dict.fromkeys(row["dataset"] for row in rows))
    titles = ["signal", "how", *(f"{name}, {part}" for name in sets for part in ("unseen queries", "test"))]
    lines = ["| " + " | ".join(titles) + " |", "|" + " --- |" * len(titles)]
    for key in dict.fromkeys((row["signal"], row["how"]) for row in rows):
        cells = [str(part).replace("_", " ") for part in key]
        for row in (row for row in rows if (row["signal"], row["how"]) == key):
            cells += [f"{row['unseen']:+.3f} ± {row['error']:.3f}", f"{row['test']:+.3f} ± {row['test_error']:.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Compare, write the rows, and the table into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets of pairs")
    parser.add_argument("--sets", nargs="+", required=True, help="the search sets")
    parser.add_argument("--signals", nargs="+", choices=SIGNALS, default=SIGNALS, help="only these signals")
    parser.add_argument("--rows", type=int, default=4000, help="pairs of each part, at most")
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON")
    parser.add_argument("--into", type=Path, help="the page for the table")
    parser.add_argument("--cache", type=Path, default=Path("runs/pairs-cache"), help="embeddings")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    torch.set_num_threads(1)
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    rows = []
    for name in given.sets:
        material = read(given.data / name, given.rows)
        for row in compared(material, Ways(material, embed), given.signals):
            print(json.dumps(row), flush=True)
            rows.append(row)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"rows": rows}, indent=1))
    if given.into:
        tables.keep(given.into, {"ranking": joined(given.into, "ranking", table(rows))})


if __name__ == "__main__":
    main()
