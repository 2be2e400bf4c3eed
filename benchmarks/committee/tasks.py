"""Tasks for the committee benchmark: texts, gold labels, the reviewing LLM's stored answers, existing small models.

A set is used if a teacher answered at least 300 of its train texts. `pool` is annotated; `new` are later tasks of the
same kind (the set's test part where the teacher answered it, else a fifth of the texts). Of large sets the same random
MOST_POOL and MOST_NEW tasks are used in every run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.datasets import candidate_set, gold_part, read_rows, said_by
from benchmarks.shared.folders import must_exist, nothing
from model.arrays import FloatArray, IntArray
from model.labels import LabelSpace

LEAST_ROWS = 300
MOST_POOL, MOST_NEW = 2_000, 800
EXISTING = ("flan-t5-base", "flan-t5-large", "flan-t5-xl")  # small open models whose answers are stored with some sets


@dataclass(frozen=True)
class Tasks:
    """n tasks: gold `(n,)`, the LLM's single answer `(n,)` (-1: none), its distribution `(n, C)`, others' answers.

    Where the answers are a panel's, `answer` is one model's and `said` the shares of the whole panel's votes: that is
    what a call of the reviewer buys here, so `panel` is the label that most of it says.
    """

    texts: list[str]
    gold: IntArray
    answer: IntArray
    said: FloatArray
    existing: dict[str, IntArray]

    @property
    def panel(self) -> IntArray:
        """The first label of the whole answer `(n,)`: the panel's majority, or what the one LLM finds likeliest."""
        first: IntArray = np.where(self.said.any(axis=1), self.said.argmax(axis=1), -1)
        return first

    def rows(self, chosen: IntArray) -> Tasks:
        """Some of them."""
        others = {name: answers[chosen] for name, answers in self.existing.items()}
        texts = [self.texts[row] for row in chosen]
        return Tasks(texts, self.gold[chosen], self.answer[chosen], self.said[chosen], others)

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Project:
    """One data set with its reviewing LLM."""

    name: str
    teacher: str
    space: LabelSpace
    pool: Tasks
    new: Tasks
    others: tuple[tuple[str, str], ...] = ()  # texts with gold labels that are in neither part


MISSING = f"teachers/<teacher>/<set>_train.jsonl.gz with answers for at least {LEAST_ROWS} texts"


def projects(data: Path, names: Sequence[str], most: int = MOST_POOL) -> list[Project]:
    """All sets of the folder that have a teacher, with at most `most` tasks of a pool.

    SystemExit says what is missing where there are none.
    """
    must_exist(data)
    found = []
    for path in sorted(data.glob("teachers/*/*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        if name.endswith("_test") or (names and name.removesuffix("_train") not in names):
            continue
        project = _project(path, name.removesuffix("_train"), most)
        if project is not None and len(project.pool) >= min(LEAST_ROWS, most):
            found.append(replace(project, others=_others(data / project.name, project)))
    if not found:
        nothing(data, MISSING + (f", for {' or '.join(names)}" if names else ""))
    return found


def usual(data: Path, names: Sequence[str]) -> list[str]:
    """The usual sets of a short run that the folder has answers for, else all; at most as many."""
    taught = [path.name.removesuffix(".jsonl.gz") for path in sorted(data.glob("teachers/*/*.jsonl.gz"))]
    known = list(dict.fromkeys(name.removesuffix("_train") for name in taught if not name.endswith("_test")))
    return [name for name in names if name in known] or known[: len(names)]


def _others(folder: Path, project: Project) -> tuple[tuple[str, str], ...]:
    """Train texts of the set's own folder, where there is one, that are no tasks here."""
    if not (folder / "train.jsonl.gz").is_file():
        return ()
    part, tasks = gold_part(folder, "train"), {*project.pool.texts, *project.new.texts}
    return tuple((text, label) for text, label in zip(part.texts, part.gold, strict=True) if text not in tasks)


def _project(path: Path, name: str, most: int) -> Project | None:
    """None where the file has no answers, or too few for two parts."""
    rows = _rows(path)
    if len(rows) < LEAST_ROWS:
        return None
    test = path.with_name(f"{name}_test.jsonl.gz")
    fresh = _rows(test) if test.is_file() else []
    space = LabelSpace.of(sorted({str(row["gold"]) for row in [*rows, *fresh]}))
    if fresh:
        known = {row["text"] for row in rows}
        later = [row for row in fresh if row["text"] not in known]
        pool, new = _tasks(_some(rows, most), space), _tasks(_some(later, MOST_NEW), space)
        return Project(name, path.parent.name, space, pool, new)
    whole = _tasks(_some(rows, most + MOST_NEW), space)
    order = np.random.default_rng(0).permutation(len(whole))
    cut = min(len(whole) // 5, MOST_NEW)
    order = order[: most + cut]
    pool, new = whole.rows(np.sort(order[cut:])), whole.rows(np.sort(order[:cut]))
    return Project(name, path.parent.name, space, pool, new)


def _rows(path: Path) -> list[dict[str, Any]]:
    found = [row for row in read_rows(path) if not row.get("demonstration") and row.get("candidates")]
    return list({row["text"]: row for row in reversed(found)}.values())


def _some(rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most so many of the rows, drawn once and for all."""
    if len(rows) <= most:
        return rows
    return [rows[place] for place in sorted(np.random.default_rng(0).choice(len(rows), most, replace=False))]


def _tasks(rows: Sequence[Mapping[str, Any]], space: LabelSpace) -> Tasks:
    def number(label: object) -> int:
        return space.index(str(label)) if label in space else -1

    said = np.stack([said_by(candidate_set(row), space) for row in rows])
    answer = np.array([number(row.get("llm_label") or row["candidates"][0]) for row in rows], dtype=np.int64)
    gold = np.array([number(row["gold"]) for row in rows], dtype=np.int64)
    names = [name for name in EXISTING if _answer_of(rows[0], name) is not None]
    existing = {name: np.array([number(_answer_of(row, name)) for row in rows], dtype=np.int64) for name in names}
    return Tasks([str(row["text"]) for row in rows], gold, answer, said, existing)


def _answer_of(row: Mapping[str, Any], model: str) -> object:
    """A model's first zero-shot answer, however the teacher's file stores it."""
    if model in row.get("by_model", {}):
        return (row["by_model"][model] or [None])[0]
    votes = row.get("votes", {})
    stored = votes.get(model.replace("-", "_")) if isinstance(votes, Mapping) else None
    return stored.get("zero-shot") if isinstance(stored, Mapping) else None
