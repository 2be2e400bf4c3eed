"""The data folder: texts with gold labels, and what teachers answered for them.

Any folder of this layout works:

    <set>/train.jsonl.gz, test.jsonl.gz      {"text": str, "label": str}
    <set>/labels.json                        the label space, in order
    teachers/<teacher>/<set>_<part>.jsonl.gz answers for rows of a set
    teachers/<teacher>/<set>.jsonl.gz        a set that exists only with its teacher: split 80/20 by a hash of the text
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from model.arrays import Embed, FloatArray
from model.labels import CandidateSet, LabelSpace

SIMILARITY = "similarity"


@dataclass(frozen=True)
class Part:
    """One part of a set, with a teacher's answers where there are any (None: it gave none)."""

    texts: tuple[str, ...]
    gold: tuple[str, ...]
    answers: tuple[CandidateSet | None, ...]
    singles: tuple[str, ...]  # the teacher's single answer: usually the first candidate, "" where there is none
    votes: tuple[tuple[str, ...], ...] = ()  # of a panel: each member's label per text, "" where it gave none

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Job:
    """A teacher on a data set: what the methods are compared on. `variant` says how it was made from what is stored."""

    dataset: str
    teacher: str
    space: LabelSpace
    train: Part
    test: Part
    variant: str = ""

    @property
    def name(self) -> str:
        """teacher/set, or teacher/set+variant."""
        return named(self.teacher, self.dataset, self.variant)


def named(teacher: str, dataset: str, variant: str = "") -> str:
    """The name of a job."""
    return f"{teacher}/{dataset}" + (f"+{variant}" if variant else "")


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a gzip JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def read_space(folder: Path) -> LabelSpace:
    """The label space of a set's folder."""
    names = json.loads((folder / "labels.json").read_text())
    if isinstance(names, Mapping):
        names = names["labels"]
    return LabelSpace.of([entry["name"] if isinstance(entry, Mapping) else str(entry) for entry in names])


def gold_part(folder: Path, part: str) -> Part:
    """Texts with gold labels only; one row per distinct text, the first one."""
    rows: dict[str, str] = {}
    for row in read_rows(folder / f"{part}.jsonl.gz"):
        rows.setdefault(row["text"], row["label"])
    return Part(tuple(rows), tuple(rows.values()), (None,) * len(rows), ("",) * len(rows))


def teacher_part(rows: Sequence[Mapping[str, Any]]) -> Part:
    """Rows of a teacher's file; demonstrations are left out, so are rows without any answer."""
    kept: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if has_answer(row):
            kept.setdefault(row["text"], row)
    answers = tuple(candidate_set(row) for row in kept.values())
    singles = tuple(str(row.get("llm_label") or candidates_of(row)[0]) for row in kept.values())
    votes = tuple(panel_votes(row) for row in kept.values())
    panel = votes if votes and len(votes[0]) > 1 and len(set(map(len, votes))) == 1 else ()
    return Part(tuple(kept), tuple(str(row["gold"]) for row in kept.values()), answers, singles, panel)


def panel_votes(row: Mapping[str, Any]) -> tuple[str, ...]:
    """One label per member of the panel that the candidates come from, "" for none; empty where no panel answered."""
    votes = row.get("votes") or {}
    if any(isinstance(value, Mapping) for value in votes.values()):
        return tuple(str(value.get("zero-shot") or "") for value in votes.values() if isinstance(value, Mapping))
    said = list(row.get("by_model", {}).values())[: sum(votes.values())]
    return tuple(str(answers[0] or "") if answers else "" for answers in said)


def has_answer(row: Mapping[str, Any]) -> bool:
    """Whether a teacher's row counts: it has an answer and did not serve as an example in the prompt."""
    return not row.get("demonstration") and bool(candidates_of(row))


def candidates_of(row: Mapping[str, Any]) -> list[str]:
    """The candidates of a teacher's row; its single answer where it gave no others."""
    given = row.get("candidates") or [row.get("llm_label")]
    return list(dict.fromkeys(str(label) for label in given if label))


def candidate_set(row: Mapping[str, Any]) -> CandidateSet:
    """The candidate set of a teacher row: its probabilities, or shares of votes, become confidences."""
    labels = tuple(candidates_of(row))
    weights = _weights(row)
    shares = [weights.get(label, 0.0) for label in labels]
    total = sum(weights.values())
    if total <= 0 or min(shares) <= 0:
        return CandidateSet(labels)
    order = sorted(range(len(labels)), key=lambda place: -shares[place])
    return CandidateSet(
        tuple(labels[place] for place in order), tuple(min(1.0, shares[place] / total) for place in order)
    )


def _weights(row: Mapping[str, Any]) -> dict[str, float]:
    """Weight per label: probabilities, or votes, or (votes by model and prompt) how many models say it zero-shot."""
    found = row.get("probs") or row.get("votes") or {}
    if any(isinstance(value, Mapping) for value in found.values()):
        said = [value.get("zero-shot") for value in found.values() if isinstance(value, Mapping)]
        return {label: float(said.count(label)) for label in candidates_of(row)}
    return {label: float(value) for label, value in found.items()}


def hashed_split(part: Part, seed: int = 0, test_in: int = 5) -> tuple[Part, Part]:
    """Train and test part by a seeded hash of the text: one in `test_in` goes to test."""

    def of_test(text: str) -> bool:
        return int(hashlib.sha256(f"{seed}{text}".encode()).hexdigest(), 16) % test_in == 0

    train = [row for row, text in enumerate(part.texts) if not of_test(text)]
    test = [row for row, text in enumerate(part.texts) if of_test(text)]
    return chosen_rows(part, train), chosen_rows(part, test)


def chosen_rows(part: Part, rows: Sequence[int]) -> Part:
    """Some rows of a part."""
    columns = (part.texts, part.gold, part.answers, part.singles)
    texts, gold, answers, singles = (tuple(column[row] for row in rows) for column in columns)
    votes = tuple(part.votes[row] for row in rows) if part.votes else ()
    return Part(texts, gold, answers, singles, votes)  # type: ignore[arg-type]


def stored_jobs(data: Path) -> Iterator[Job]:
    """Every teacher with stored answers on every set, in the order of their names."""
    for path in sorted(data.glob("teachers/*/*.jsonl.gz")):
        name, teacher = path.name.removesuffix(".jsonl.gz"), path.parent.name
        dataset, _, kind = name.rpartition("_")
        if kind == "test" and (data / dataset).is_dir():
            continue
        answered = teacher_part(list(read_rows(path)))
        if kind == "train" and (data / dataset).is_dir():
            other = path.with_name(f"{dataset}_test.jsonl.gz")
            test = teacher_part(list(read_rows(other))) if other.exists() else gold_part(data / dataset, "test")
            yield Job(dataset, teacher, read_space(data / dataset), answered, test)
        else:
            known = {label for found in answered.answers if found is not None for label in found.labels}
            yield Job(name, teacher, LabelSpace.of(sorted(known | set(answered.gold))), *hashed_split(answered))


def similarity_job(data: Path, dataset: str, embed: Embed, most: int | None = None) -> Job:
    """The offline similarity teacher on a set with gold labels, on at most `most` rows of each part."""
    from model.teacher.similarity import SimilarityTeacher

    space, folder = read_space(data / dataset), data / dataset
    teacher = SimilarityTeacher(space, embed)
    parts = []
    for name in ("train", "test"):
        part = spread(gold_part(folder, name), most)
        found = tuple(answer.candidates for answer in teacher.shortlist(part.texts))
        parts.append(Part(part.texts, part.gold, found, tuple(one.top if one else "" for one in found)))
    train, test = parts
    return Job(dataset, SIMILARITY, space, train, test)


def cut(job: Job, rows: int) -> Job:
    """The job with at most `rows` train rows and as many test rows, evenly spread."""

    return replace(job, train=spread(job.train, rows), test=spread(job.test, rows))


def spread(part: Part, rows: int | None) -> Part:
    """At most `rows` rows of a part, evenly spread; None: all."""
    step = 1 if rows is None else max(1, -(-len(part) // rows))
    return chosen_rows(part, range(0, len(part), step))


def said_by(candidates: CandidateSet, space: LabelSpace) -> FloatArray:
    """A candidate set as a distribution `(C,)`: its confidences, else half for the first label and half for all."""
    found = np.zeros(len(space), np.float32)
    shares = candidates.confidences or tuple(
        0.5 * (place == 0) + 0.5 / len(candidates.labels) for place in range(len(candidates.labels))
    )
    for label, share in zip(candidates.labels, shares, strict=True):
        if label in space:
            found[space.index(label)] = share
    return found / max(float(found.sum()), 1e-12)


def sample(part: Part, rows: int) -> Part:
    """The same rows every time."""
    places = sorted(random.Random(0).sample(range(len(part)), min(rows, len(part))))
    texts, gold = tuple(part.texts[place] for place in places), tuple(part.gold[place] for place in places)
    return Part(texts, gold, (None,) * len(places), ("",) * len(places))
