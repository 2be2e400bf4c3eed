"""Sets of two texts with one label, as `--data` has them, with the vectors of both texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.shared.datasets import read_rows
from model.arrays import BoolArray, Embed, FloatArray, IntArray
from model.labels import LabelSpace
from model.pair_views import BESIDE, OVERLAP, RELATION, PairView, cosines
from model.pairs import Pair
from model.text_groups import text_groups

SHIFTED = ("forum", "questions", "student answers")  # domains of sts_domains that are the target of a shift


@dataclass(frozen=True)
class Rows:
    """n tasks: their texts as one, gold labels `(n,)` by number, the number of each one's query, its domain."""

    texts: list[str]
    gold: IntArray
    queries: IntArray
    domains: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def of(self, chosen: IntArray | BoolArray) -> Rows:
        """Some of them."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        texts, domains = ([one[place] for place in places] for one in (self.texts, self.domains))
        return Rows(texts, self.gold[places], self.queries[places], domains)


@dataclass(frozen=True)
class Material:
    """A set; `pair` has a query in search sets."""

    name: str
    space: LabelSpace
    pair: Pair
    train: Rows
    test: Rows

    @property
    def ordered(self) -> bool:
        """Whether labels are levels in order, as those of a rating are."""
        return self.space.answer == "ordered"

    @property
    def task(self) -> str:
        """`search` or `similarity`."""
        return "search" if self.pair.query is not None else "similarity"

    def features(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        """What a student sees of tasks, `(n, 2 d + 1)` and what their words have in common."""
        return PairView(self.pair, RELATION + OVERLAP).embed(embed)(texts)

    def places(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        """By what tasks are compared, `(n, 2 d)`."""
        return PairView(self.pair, BESIDE).embed(embed)(texts)

    def alike(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        """How alike the encoder finds the two texts, `(n,)`."""
        return cosines(self.pair, texts, embed)


def has_pairs(folder: Path) -> bool:
    """Whether a set's rows are two texts with one label."""
    parts = [folder / f"{part}.jsonl.gz" for part in ("train", "test")]
    if not (folder / "labels.json").is_file() or not all(path.is_file() for path in parts):
        return False
    first = next(read_rows(parts[0]), {})
    fields = first.get("fields")
    return isinstance(fields, dict) and len(fields) == 2 and isinstance(first.get("label"), str)


def read(folder: Path, rows: int) -> Material:
    """A set, at most `rows` of each part; whole queries, where there are any."""
    space = LabelSpace.of(json.loads((folder / "labels.json").read_text(encoding="utf-8")))
    meta = folder / "meta.json"
    ordered = meta.is_file() and json.loads(meta.read_text(encoding="utf-8")).get("ordered")
    if ordered and len(space) > 2:
        space = replace(space, answer="ordered")
    stored = [list(read_rows(folder / f"{part}.jsonl.gz")) for part in ("train", "test")]
    first, second = stored[0][0]["fields"]
    pair = Pair((first, second), (f"{first}: ", f"{second}: "), query=0 if "group" in stored[0][0] else None)
    parts = [_rows(found, pair, space, rows) for found in stored]
    return Material(folder.name, space, pair, *parts)


def _rows(found: Sequence[dict[str, object]], pair: Pair, space: LabelSpace, most: int) -> Rows:
    texts = [_text(pair, row["fields"]) for row in found]
    gold = np.array([space.index(str(row["label"])) for row in found], np.int64)
    queries = text_groups(texts, None, pair)
    rows = Rows(texts, gold, queries, [str(row.get("domain", "")) for row in found])
    if len(rows) <= most:
        return rows
    order = np.random.default_rng(0).permutation(np.unique(queries))
    kept: list[int] = []
    for query in order:
        if len(kept) >= most:
            break
        kept += np.flatnonzero(queries == query).tolist()
    return rows.of(np.sort(np.array(kept, np.int64)))


def _text(pair: Pair, fields: object) -> str:
    """As the product reads a task."""
    assert isinstance(fields, dict), "checked by has_pairs"
    return "\n\n".join(f"{name}: {str(fields[name]).strip()}" for name in pair.names)


def split(material: Material, chosen: Callable[[str], bool]) -> tuple[Rows, Rows]:
    """Train and test rows of some domains."""
    parts = (material.train, material.test)
    train, test = (part.of(np.array([chosen(name) for name in part.domains], np.bool_)) for part in parts)
    return train, test
