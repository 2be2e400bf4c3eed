"""What promises about losses, several questions or each label cost people on real sets, and how often they are broken.

    python -m benchmarks.finish.real_parts --data DIR --out F.json

`sst5` (five levels), `goemotions` (any number of 28 labels) and `airline_tweets` (a sentiment, and the reason of a
negative one) with gold labels as people, and the student of `part_worlds` on the bundled encoder: ridge regression, no
teacher. A promise is of at most 10 % of each of its parts, with 95 % confidence.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.finish.part_worlds import TARGET, Bools, Made, finished
from benchmarks.finish.pools import embedding
from benchmarks.shared.datasets import read_rows
from benchmarks.shared.folders import must_exist
from model.arrays import Embed
from model.groups import Group, When, qualified
from model.labels import Label, LabelSpace
from model.promise.parts import Part, parts_of

SETS = ("sst5", "goemotions", "airline_tweets")
SCALE = 6.0  # of vectors of length one, beside a penalty of one


def read(folder: Path, rows: int) -> tuple[LabelSpace, list[str], Bools]:
    """The labels of a set, the first texts of its train part, and what is right of each `(n, C)`."""
    named = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    found = list(islice(read_rows(folder / "train.jsonl.gz"), rows))
    if isinstance(named, dict):
        space = of_questions(folder.name, named, found)
        right = [{qualified(name, one) for name, one in row["answers"].items() if one is not None} for row in found]
    else:
        several = "labels" in found[0]
        answer: Literal["several", "ordered"] = "several" if several else "ordered"
        space = LabelSpace(tuple(map(Label, named)), folder.name, answer, 0 if several else 1)
        right = [set(row["labels"]) if several else {row["label"]} for row in found]
    truth = np.array([[name in one for name in space.names] for one in right], np.bool_)
    return space, [row["text"] for row in found], truth


def of_questions(name: str, labels: dict[str, list[str]], rows: Sequence[dict[str, Any]]) -> LabelSpace:
    """Questions, of which one that is not always answered hangs on those labels of the one before with which it is."""
    groups: list[Group] = []
    for question, own in labels.items():
        start, before = (groups[-1].stop, groups[-1].name) if groups else (0, "")
        answered = [row["answers"] for row in rows if row["answers"][question] is not None]
        here = sorted({qualified(before, row[before]) for row in answered if before and row[before]})
        when = (When(tuple(here)),) if len(answered) < len(rows) else ()
        groups.append(Group(question, "one", start, start + len(own), 1, when))
    names = [Label(qualified(question, one), one) for question, own in labels.items() for one in own]
    return LabelSpace(tuple(names), name, "several", 1, tuple(groups))


def promises(space: LabelSpace) -> dict[str, tuple[Part, ...]]:
    """What may be promised about a space: any difference is a wrong answer; a loss; each label of the first question;
    the first question alone."""
    shares = {group.name: TARGET for group in space.groups}
    first = {name: TARGET if place == 0 else 1.0 for place, name in enumerate(shares)}
    found = {"any difference": parts_of(space, shares, whole=True, per_label=False)}
    if any(group.kind != "one" for group in space.groups):
        found["its loss"] = parts_of(space, shares, whole=False, per_label=False)
    if len(shares) > 1:
        found["the first question alone"] = parts_of(space, first, whole=True, per_label=False)
    if space.groups[0].kind != "any":
        found["each label of the first question"] = parts_of(space, first, whole=True, per_label=True)
    return found


def measured(folder: Path, embed: Embed, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for every promise about a set."""
    space, texts, truth = read(folder, given.rows)
    features = SCALE * embed(texts).astype(np.float64)
    for name, parts in promises(space).items():
        pool = Made(space, parts, features, truth)
        draws = np.random.default_rng(0).spawn(given.repetitions)
        found = [finished(pool, draw) for draw in draws]
        people = round(float(np.mean([share for _, share in found])), 3)
        yield {"set": folder.name, "promise": name, "parts": len(parts), "tasks": len(texts), "people": people,
               "repetitions": given.repetitions, "broken": sum(broken for broken, _ in found)}  # fmt: skip


def main() -> None:
    """Measure, and write rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets of several kinds of answers")
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--rows", type=int, default=2_000, help="tasks of a pool, at most")
    parser.add_argument("--repetitions", type=int, default=50, help="audits, each with other first labels")
    parser.add_argument("--cache", type=Path, default=Path("runs/finish-cache"), help="embeddings")
    given = parser.parse_args()
    must_exist(given.data)
    embed = embedding(given.cache)
    rows: list[dict[str, Any]] = []
    for name in given.sets:
        for row in measured(given.data / name, embed, given):
            rows.append(row)
            print(json.dumps(row), flush=True)
            given.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
