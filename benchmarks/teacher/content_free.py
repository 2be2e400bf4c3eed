"""Do texts that say nothing tell which labels an LLM prefers? As Zhao et al. (2021, arXiv 2102.09690) calibrate.

    python -m benchmarks.teacher.content_free --data DIR --out FILE.json [--sets trec ag_news csabstruct] [--rows 150]

An LLM (see benchmarks.teacher.llm; the small one of this machine unless --teacher names another) is asked about a few
content-free inputs, with the labels in their order and in the opposite one, and about texts of the train part. Its
first label is right so often: as it says; with each label's share divided by its mean share on content-free inputs; by
its mean share on all texts, which is right only where labels are even. The same on pools drawn from these answers
with half of the tasks of one label, each label in turn, mean. Both divisions have the power 0.75 that the product has.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared import tables
from benchmarks.shared.datasets import gold_part, read_space, said_by, sample
from benchmarks.shared.folders import must_exist
from benchmarks.teacher.llm import CHUNK, Way, options_for, teachers
from model.arrays import FloatArray, IntArray
from model.encoder.encoder import load_encoder
from model.labels import CandidateSet, LabelSpace
from model.teacher.choice import TeacherOptions, make_teacher
from model.weak.posterior import EVEN_STRENGTH

SETS = ("trec", "ag_news", "csabstruct")
INPUTS = ("N/A", "[MASK]", "...", "text", "no text")
UNEVEN = 0.5  # of the tasks have one label
DRAWS = 20


def asked(options: TeacherOptions, space: LabelSpace, texts: Sequence[str]) -> list[CandidateSet | None]:
    """What the teacher proposes for each text."""
    teacher = make_teacher(options, space, load_encoder("default", 1).embed)
    parts = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    return [answer.candidates for part in parts for answer in teacher.shortlist(part)]


def shares_of(found: Sequence[CandidateSet | None], space: LabelSpace) -> FloatArray:
    """Distributions `(n, C)`, 5 % of their mass over all labels; uniform where there is no answer."""
    even = np.full(len(space), 1.0 / len(space), np.float32)
    return np.stack([0.95 * (even if one is None else said_by(one, space)) + 0.05 * even for one in found])


def right(shares: FloatArray, divided_by: FloatArray | None, gold: IntArray) -> FloatArray:
    """Which tasks `(n,)` are right, with shares divided by the preference `(C,)` to the product's power."""
    corrected = shares if divided_by is None else shares / divided_by**EVEN_STRENGTH
    hits: FloatArray = (corrected.argmax(1) == gold).astype(np.float32)
    return hits


def pools(gold: IntArray, labels: int) -> list[IntArray]:
    """Rows of uneven pools: half of each has one label, every label in turn."""
    found = []
    for label in range(labels):
        mine, others = np.flatnonzero(gold == label), np.flatnonzero(gold != label)
        for draw in range(DRAWS if len(mine) and len(others) else 0):
            random, count = np.random.default_rng([label, draw]), min(len(mine), len(others))
            chosen = [random.choice(rows, count, replace=False) for rows in (mine, others)]
            found.append(np.concatenate(chosen).astype(np.int64))
    return found


def rows_of(name: str, space: LabelSpace, gold: IntArray, shares: FloatArray, free: FloatArray) -> list[dict[str, Any]]:
    """A row per way to correct: percent right on the pool as it is, and on uneven ones."""
    ways: dict[str, Callable[[IntArray], FloatArray | None]] = {
        "as it says": lambda _: None,
        "content-free inputs": lambda _: free.mean(0),
        "mean of all texts (told even)": lambda rows: shares[rows].mean(0),
    }
    every, found = np.arange(len(gold)), []
    for way, preference in ways.items():
        even = 100 * float(right(shares, preference(every), gold).mean())
        parts = [right(shares[rows], preference(rows), gold[rows]).mean() for rows in pools(gold, len(space))]
        found.append({"what": "content-free", "dataset": name, "method": way, "texts": len(gold),
                      "even": even, "uneven": 100 * float(np.mean(parts))})  # fmt: skip
        print(f"{name} {way}: {even:.1f} even, {found[-1]['uneven']:.1f} uneven", flush=True)
    return found


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Sets and ways."""
    lines = ["| set | texts | corrected by | pool as it is | one label 50 % |", "|---|---|---|---|---|"]
    shown = ((row["dataset"], str(row["texts"]), row["method"], row["even"], row["uneven"]) for row in rows)
    return "\n".join([*lines, *(f"| {a} | {b} | {c} | {d:.1f} | {e:.1f} |" for a, b, c, d, e in shown)])


def measured(folder: Path, options: TeacherOptions, rows: int) -> list[dict[str, Any]]:
    """Ask about a set."""
    space = read_space(folder)
    opposite = LabelSpace.of(list(reversed(space.names)))
    part = sample(gold_part(folder, "train"), rows)
    free = [*asked(options, space, INPUTS), *asked(options, opposite, INPUTS)]
    gold = np.array([space.index(label) for label in part.gold])
    preference = shares_of(free, space)
    print(folder.name, dict(zip(space.names, preference.mean(0).round(3).tolist(), strict=True)), flush=True)
    return rows_of(folder.name, space, gold, shares_of(asked(options, space, part.texts), space), preference)


def main() -> None:
    """Ask set by set; write after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--llm", default="", help="folder or hub name of an instruct model")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--teacher", default="", help="a provider's model instead; keys come from the environment")
    parser.add_argument("--server", default="", help="OPENAI_BASE_URL")
    parser.add_argument("--price", default="", help="TEACHER_PRICE")
    parser.add_argument("--into", type=Path, help="a page with a place for the table `content-free`")
    given = parser.parse_args()
    must_exist(given.data)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        options = options_for(Way(), teachers(given, stack))
        for name in given.sets:
            rows += measured(given.data / name, options, given.rows)
            given.out.write_text(json.dumps({"rows": rows, "summary": {"sets": len({r["dataset"] for r in rows})}}))
    print(table(rows))
    if given.into:
        tables.keep(given.into, {"content-free": table(rows)})


if __name__ == "__main__":
    main()
