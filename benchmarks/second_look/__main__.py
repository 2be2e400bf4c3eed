"""How many of the decisions that are called worth a second look are wrong, where 5 % of the labels are.

    python -m benchmarks.second_look --data DIR --out F.json [--seeds 3] [--rows 2000] [--into PAGE.md]

Wrong labels are planted at random, or as people err: the likeliest other label of a student that knows all true ones
(`confusable`). Rows: dataset, seed, errors, method, labels, precision (among the 50 most doubted), accuracy (of who
doubts, out of fold) and told (whether the product would tell). Rivals doubt by a linear student, cross-fitted by text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from backend.training.second_look import LEAST, TRUSTED
from benchmarks.second_look.measuring import LOOKED, WRONG, Row, parsed, parser
from benchmarks.shared import tables
from benchmarks.shared.datasets import Job, chosen_rows, similarity_job, stored_jobs
from benchmarks.shared.folders import plain_sets
from benchmarks.shared.linear_student import LinearStudent, fit
from model.arrays import Doubles, Embed, FloatArray, IntArray
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.text_groups import folds, text_groups
from model.weak.doubts import doubts
from model.weak.judges import Known

FOLDS = 5
CHOSEN = ("trec", "ag_news")  # the weight of the teacher's answer was chosen on these
KINDS = ("random", "confusable")


def jobs(data: Path, embed: Embed, only: Sequence[str]) -> Iterator[Job]:
    """One teacher per set: the first stored one, else the offline one."""
    stored: dict[str, Job] = {}
    for job in stored_jobs(data):
        stored.setdefault(job.dataset, job)
    for name in only or plain_sets(data):
        yield stored[name] if name in stored else similarity_job(data, name, embed, 4_000)


def spoilt(gold: IntArray, vectors: FloatArray, labels: int, kind: str, draw: np.random.Generator) -> IntArray:
    """The labels with WRONG of them replaced."""
    found, bad = gold.copy(), draw.choice(len(gold), round(WRONG * len(gold)), replace=False)
    if kind == "random":
        found[bad] = (found[bad] + draw.integers(1, labels, len(bad))) % labels
        return found
    shares = fit(vectors, np.eye(labels, dtype=np.float32)[gold])(vectors).copy()
    shares[np.arange(len(gold)), gold] = 0.0
    found[bad] = shares[bad].argmax(axis=1)
    return found


def cross_fitted(vectors: FloatArray, known: Known, labels: int, seed: int) -> FloatArray:
    """Probabilities `(k, C)` of a linear student that has not learned the row's text."""
    fold, found = folds(known.groups, FOLDS, seed), np.zeros((len(known), labels), np.float32)
    for one in range(FOLDS):
        mine = fold == one
        student: LinearStudent = fit(vectors[~mine], np.eye(labels, dtype=np.float32)[known.labels[~mine]])
        found[mine] = student(vectors[mine])
    return found


def margins(shares: FloatArray, given: IntArray) -> Doubles:
    """Normalised margins without their scale: own probability less the largest other."""
    own, others = shares[np.arange(len(given)), given], shares.copy()
    others[np.arange(len(given)), given] = -1.0
    return np.asarray(own - others.max(axis=1), np.float64)


def confident(shares: FloatArray, given: IntArray) -> Doubles:
    """Confident learning (arXiv 1911.00068): first what the confident joint puts off its diagonal, by margin."""
    labels = shares.shape[1]
    least = np.array([shares[given == one, one].mean() if (given == one).any() else 1.0 for one in range(labels)])
    sure = np.where(shares >= least, shares, -1.0)
    counted = np.where(sure.max(axis=1) >= 0, sure.argmax(axis=1), given)
    found: Doubles = margins(shares, given) - 10.0 * (counted != given)
    return found


def measured(job: Job, seed: int, most: int, embed: Embed) -> Iterator[Row]:
    """The rows of every method, on one draw of a set."""
    draw = np.random.default_rng(seed)
    rows = np.sort(draw.choice(len(job.train), min(most, len(job.train)), replace=False)).tolist()
    part, labels = chosen_rows(job.train, rows), len(job.space)
    vectors = embed(part.texts)
    gold = np.array([job.space.index(one) for one in part.gold], np.int64)
    first = np.array([-1 if one is None else job.space.index(one.top) for one in part.answers], np.int64)
    groups = text_groups(part.texts, vectors)
    for kind in KINDS:
        given = spoilt(gold, vectors, labels, kind, draw)
        known = Known(np.arange(len(given)), given, groups, np.ones(len(given)))
        ours, shares = doubts(vectors, known, first, labels), cross_fitted(vectors, known, labels, seed)
        alone = doubts(vectors, known, np.full(len(given), -1), labels)
        told = len(given) >= LEAST and ours.accuracy >= TRUSTED
        ranked = {"ours": ours.margins, "ours, without the teacher": alone.margins,
                  "confident learning": confident(shares, given), "margin alone": margins(shares, given),
                  "self-confidence alone": shares[np.arange(len(given)), given]}  # fmt: skip
        for method, score in ranked.items():
            looked = np.argsort(score, kind="stable")[:LOOKED]
            yield {"dataset": job.name, "seed": seed, "errors": kind, "method": method, "labels": len(given),
                   "precision": float((given != gold)[looked].mean()), "accuracy": round(ours.accuracy, 3),
                   "told": told}  # fmt: skip


def summary(rows: Sequence[Row]) -> Row:
    """Mean precision in per cent by kind of error and method: over the sets of which the product tells, and by set."""
    found: Row = {}
    for kind in KINDS:
        for method in dict.fromkeys(row["method"] for row in rows):
            mine = [row for row in rows if (row["errors"], row["method"]) == (kind, method)]
            by_set = {name: round(100 * float(np.mean([row["precision"] for row in mine if row["dataset"] == name])), 1)
                      for name in dict.fromkeys(row["dataset"] for row in mine)}  # fmt: skip
            told = [row["precision"] for row in mine if row["told"]]
            found[f"{kind}: {method}"] = {
                "sets told of": round(100 * float(np.mean(told)), 1) if told else 0.0,
                **by_set,
            }
    return found


def table(found: Row) -> str:
    """One row per kind of error and method."""
    sets = list(next(iter(found.values())))
    lines = [f"| errors: method | {' | '.join(sets)} |", f"|{' --- |' * (len(sets) + 1)}"]
    lines += [f"| {name} | {' | '.join(f'{row[one]:.1f}' for one in sets)} |" for name, row in found.items()]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write rows and summary; with --into, a page's table, too."""
    command = parser(__doc__ or "", "a folder of sets and teachers")
    command.add_argument("--sets", nargs="+", default=(), help="only these sets")
    command.add_argument("--quick", action="store_true", help="one seed, 600 texts")
    given = parsed(command)
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    seeds, most = (1, 600) if given.quick else (given.seeds, given.rows)
    rows: list[Row] = []
    for job in jobs(given.data, embed, given.sets):
        for seed in range(seeds):
            for row in measured(job, seed, most, embed):
                rows.append(row)
                print(json.dumps(row), flush=True)
        out = {"rows": rows, "summary": summary(rows)}
        given.out.write_text(json.dumps(out, ensure_ascii=False, indent=1))
    if given.into is not None:
        tables.keep(given.into, {"looks": table(summary(rows))})


if __name__ == "__main__":
    main()
