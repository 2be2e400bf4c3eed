"""How many of the sets of labels, and levels in order, that are called worth a second look are wrong, where 5 % are.

    python -m benchmarks.second_look.sets --data DIR/answers --out F.json --sets nlupp goemotions sst5 --into PAGE.md

Planted in a set: one label too many or too few (`flipped`), or one label in place of another (`replaced`); in a level:
any other. Rows: dataset, seed, errors, precision (among the 50 most doubted), agreement (of who doubts, out of fold),
said_right (how often what is said instead is the truth) and told (whether the product would tell).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from backend.training.second_look import TRUSTED, TRUSTED_SETS
from benchmarks.second_look.measuring import LOOKED, WRONG, Row, parsed, parser
from benchmarks.shared import tables
from benchmarks.shared.datasets import read_rows, read_space
from model.arrays import BoolArray, Embed, IntArray
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.labels import LabelSpace
from model.text_groups import text_groups
from model.weak.doubts import level_doubts
from model.weak.judges import Known
from model.weak.set_doubts import set_doubts


def spoilt(sets: BoolArray, kind: str, draw: np.random.Generator) -> BoolArray:
    """The sets with WRONG of them changed in one label, or in two."""
    found = sets.copy()
    for row in draw.choice(len(sets), round(WRONG * len(sets)), replace=False):
        if kind == "flipped":
            found[row, draw.integers(sets.shape[1])] ^= True
        elif sets[row].any():
            found[row, draw.choice(np.flatnonzero(sets[row]))] = False
            found[row, draw.choice(np.flatnonzero(~sets[row]))] = True
    return found


def of_sets(name: str, seed: int, rows: list[Row], space: LabelSpace, embed: Embed) -> Iterator[Row]:
    """Both kinds of errors."""
    draw, texts = np.random.default_rng(seed), [row["text"] for row in rows]
    truth = np.zeros((len(rows), len(space)), np.bool_)
    for row, stored in enumerate(rows):
        truth[row, [space.index(label) for label in stored["labels"]]] = True
    vectors = embed(texts)
    groups, nobody = text_groups(texts, vectors), np.zeros_like(truth)
    for kind in ("flipped", "replaced"):
        given = spoilt(truth, kind, draw)
        found = set_doubts(vectors, given, groups, nobody, nobody[:, 0])
        looked = np.argsort(found.margins, kind="stable")[:LOOKED]
        hit = looked[(given != truth)[looked].any(axis=1)]
        right = float((found.said[hit] == truth[hit]).all(axis=1).mean()) if len(hit) else 0.0
        yield _row(name, seed, kind, len(hit), found.agreement, right, TRUSTED_SETS)


def of_levels(name: str, seed: int, rows: list[Row], space: LabelSpace, embed: Embed) -> Iterator[Row]:
    """Any other level."""
    draw, texts = np.random.default_rng(seed), [row["text"] for row in rows]
    truth: IntArray = np.array([space.index(row["label"]) for row in rows], np.int64)
    given, bad = truth.copy(), draw.choice(len(truth), round(WRONG * len(truth)), replace=False)
    given[bad] = (given[bad] + draw.integers(1, len(space), len(bad))) % len(space)
    vectors = embed(texts)
    known = Known(np.arange(len(given)), given, text_groups(texts, vectors), np.ones(len(given)))
    found = level_doubts(vectors, known, np.full(len(given), -1), len(space))
    looked = np.argsort(found.margins, kind="stable")[:LOOKED]
    hit = looked[(given != truth)[looked]]
    right = float((np.abs(found.said - truth)[hit] <= 1).mean()) if len(hit) else 0.0
    yield _row(name, seed, "any other level", len(hit), found.accuracy, right, TRUSTED)


def _row(name: str, seed: int, kind: str, hits: int, agreement: float, right: float, least: float) -> Row:
    return {"dataset": name, "seed": seed, "errors": kind, "precision": hits / LOOKED,
            "agreement": round(agreement, 3), "said_right": round(right, 3), "told": agreement >= least}  # fmt: skip


def table(rows: list[Row]) -> str:
    """One row per set and kind of error, means over seeds in per cent."""
    lines = ["| set: errors | wrong among 50 | what is said instead is right | others agree | told |",
             f"|{' --- |' * 5}"]  # fmt: skip
    for key in dict.fromkeys((row["dataset"], row["errors"]) for row in rows):
        mine = [row for row in rows if (row["dataset"], row["errors"]) == key]
        names = ("precision", "said_right", "agreement")
        shares = " | ".join(f"{100 * np.mean([row[name] for row in mine]):.1f}" for name in names)
        lines.append(f"| {': '.join(key)} | {shares} | {'yes' if all(row['told'] for row in mine) else 'no'} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write rows; with --into, a page's table, too."""
    command = parser(__doc__ or "", "a folder of sets of several labels, or of levels")
    command.add_argument("--sets", nargs="+", required=True)
    given = parsed(command)
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    found: list[Row] = []
    for name in given.sets:
        stored = {row["text"]: row for row in reversed(list(read_rows(given.data / name / "train.jsonl.gz")))}
        of = of_sets if "labels" in next(iter(stored.values())) else of_levels
        for seed in range(given.seeds):
            some = np.random.default_rng(seed).permutation(len(stored))[: given.rows]
            rows = [list(stored.values())[place] for place in some]
            for row in of(name, seed, rows, read_space(given.data / name), embed):
                found.append(row)
                print(json.dumps(row), flush=True)
    given.out.write_text(json.dumps(found, indent=1))
    if given.into is not None:
        tables.keep(given.into, {"sets": table(found)})


if __name__ == "__main__":
    main()
