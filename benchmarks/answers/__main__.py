"""Student against teacher and against one-vs-rest logistic regression on gold, on sets where several labels are right.

    python -m benchmarks.answers --data DIR --out FILE.json [--seeds 3] [--quick] [--sets goemotions nlupp]

`--data` is a folder of sets with rows {"text", "labels"}. The teacher is simulated at stated levels of noise; people
are gold labels of random rows: none, 50, 5 %, and all. Measured are new texts (the test part), of which a student knows
the words alone, and its own ones (the train part without what people answered), where the teacher's answer to the very
text is known, too, and what is served combines both. Sets of several questions are measured as `questions` says, levels
and trees as `spaces` does.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import structlog

from benchmarks.answers import files, questions, spaces
from benchmarks.answers.noise import GOOD, WEAK, Noise, answers, closeness
from model.arrays import BoolArray, Embed, FloatArray
from model.decoding import by_people, ticked
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.labels import CandidateSet, HumanLabel, Label, LabelSpace
from model.set_evaluation import set_report
from model.student.head import HeadStudent
from model.train import train_student, training_data
from model.training.options import TrainingOptions

SETS = ("goemotions", "nlupp")
PEOPLE = ("none", "50", "5 %", "all")
QUICK_ROWS = 600
Row = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """A set with gold `(n, C)` of its train and test texts."""

    name: str
    space: LabelSpace
    texts: tuple[list[str], list[str]]
    gold: tuple[BoolArray, BoolArray]


def read(folder: Path, rows: int | None) -> Material:
    """A set of `--data`, at most `rows` of each part."""
    space = LabelSpace(tuple(Label(name) for name in files.labels(folder)), folder.name, "several", 0)
    texts, gold = [], []
    for found in (part[:rows] for part in files.parts(folder)):
        texts.append([row["text"] for row in found])
        marked = np.zeros((len(found), len(space)), np.bool_)
        for place, row in enumerate(found):
            marked[place, [space.index(name) for name in row["labels"]]] = True
        gold.append(marked)
    return Material(folder.name, space, (texts[0], texts[1]), (gold[0], gold[1]))


def measured(material: Material, embed: Embed, noise: Noise, seed: int, threads: int) -> Iterator[Row]:
    """The teacher, and students with more and more of people's labels."""
    space, gold = material.space, material.gold
    said = [
        answers(space, truth, closeness(space, embed, texts), noise, 2 * seed + part)
        for part, (texts, truth) in enumerate(zip(material.texts, gold, strict=True))
    ]
    here = {"set": material.name, "teacher": noise.name, "seed": seed}
    marked = np.array([[name in (one.certain or ()) for name in space.names] for one in said[1]])
    yield {**here, "method": "teacher", "people": "none", "texts": "new", **figures(space, marked, gold[1])}
    pool = np.array([[name in (one.certain or ()) for name in space.names] for one in said[0]])
    order = np.random.default_rng(seed).permutation(len(gold[0]))
    for people in PEOPLE:
        chosen = set(order[: number(people, len(order))].tolist())
        answer, own, report = student(material, embed, said[0], chosen, seed, threads)
        named = {**here, "method": "student", "people": people}
        yield {**named, "texts": "new", **figures(space, answer, gold[1]), **report}
        rest = [row for row in range(len(order)) if row not in chosen]
        if rest:
            yield {**named, "texts": "pool", **figures(space, own[rest], gold[0][rest])}
            yield {**named, "texts": "pool", "method": "teacher", **figures(space, pool[rest], gold[0][rest])}


def number(people: str, rows: int) -> int:
    """How many rows people answer."""
    return {"none": 0, "50": 50, "5 %": round(0.05 * rows), "all": rows}[people]


def student(
    material: Material, embed: Embed, said: Sequence[CandidateSet], chosen: set[int], seed: int, threads: int
) -> tuple[BoolArray, BoolArray, Row]:
    """A student's answers to the test part, those to its own texts as they are served, and what its training found."""
    space, (texts, new) = material.space, material.texts
    labels: list[HumanLabel | None] = []
    for row, truth in enumerate(material.gold[0]):
        names = tuple(space.names[label] for label in np.flatnonzero(truth))
        labels.append(HumanLabel(names, names) if row in chosen else None)
    data = training_data(space, texts, said, labels)
    trained, report = train_student(space, data, TrainingOptions(seed=seed, threads=threads, way="head"), embed)
    assert isinstance(trained, HeadStudent)
    found = ticked(space, trained.probabilities(new, embed), trained.thresholds)
    assert report.believed is not None
    rows = report.believed.over(texts, trained.probabilities(texts, embed), trained.thresholds)
    about = {"seconds": round(report.seconds, 2), "thresholds": report.found["thresholds"]}
    return found, ticked(space, rows, trained.thresholds), about


def regression(material: Material, embed: Embed, seed: int) -> Row:
    """One-vs-rest logistic regression on all gold labels and the same embeddings, with the threshold of 5 folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold

    vectors, gold = [embed(texts) for texts in material.texts], material.gold

    def fitted(inputs: FloatArray, truth: BoolArray, asked: FloatArray) -> FloatArray:
        found = np.zeros((len(asked), truth.shape[1]), np.float32)
        for label in np.flatnonzero(truth.any(0) & ~truth.all(0)):
            model = LogisticRegression(C=10.0, max_iter=1000).fit(inputs, truth[:, label])
            found[:, label] = model.predict_proba(asked)[:, 1]
        return found

    unseen = np.zeros(gold[0].shape, np.float32)
    for kept, held in KFold(5, shuffle=True, random_state=seed).split(vectors[0]):
        unseen[held] = fitted(vectors[0][kept], gold[0][kept], vectors[0][held])
    limits = by_people(unseen, gold[0], seed).values
    answer = ticked(material.space, fitted(vectors[0], gold[0], vectors[1]), limits)
    return {"set": material.name, "teacher": "-", "seed": seed, "method": "regression", "people": "all", "texts": "new",
            **figures(material.space, answer, gold[1])}  # fmt: skip


def figures(space: LabelSpace, answer: BoolArray, truth: BoolArray) -> Row:
    """In percent."""
    names = [[[space.names[label] for label in np.flatnonzero(row)] for row in side] for side in (answer, truth)]
    found = set_report(*names)
    assert found.exact is not None
    values = {"micro_f1": found.micro_f1, "macro_f1": found.macro_f1, "exact": found.exact.value,
              "jaccard": found.jaccard}  # fmt: skip
    return {name: round(100.0 * float(value or 0.0), 2) for name, value in values.items()}


def summary(rows: Sequence[Row]) -> Row:
    """By set and teacher: micro-F1 as mean and standard deviation over seeds, and whether the aims are met."""
    found: Row = {}
    for name in dict.fromkeys(row["set"] for row in rows):
        here = [row for row in rows if row["set"] == name]
        regressed = [row["micro_f1"] for row in here if row["method"] == "regression"]
        for teacher in dict.fromkeys(row["teacher"] for row in here if row["teacher"] != "-"):
            mine = [row for row in here if row["teacher"] == teacher]
            taught = values(mine, "teacher", "none")
            got = {people: values(mine, "student", people) for people in PEOPLE}
            best = max(mean(regressed), mean(got["all"]))
            found[f"{name}, {teacher} teacher"] = {
                "logistic regression on all gold": mean(regressed), "teacher": mean(taught),
                **{f"student, {people} of people's labels": mean(got[people]) for people in PEOPLE},
                "spread over seeds": max(stdev(one) if len(one) > 1 else 0.0 for one in got.values()),
                "above the teacher without people": mean(got["none"]) - mean(taught),
                "5 % of all gold": 100.0 * mean(got["5 %"]) / best,
                **{
                    f"own texts, {people}: {method}": mean(values(mine, method, people, "pool"))
                    for people in PEOPLE[:-1]
                    for method in ("teacher", "student")
                },
            }  # fmt: skip
    return {key: {what: round(value, 1) for what, value in part.items()} for key, part in found.items()}


def values(rows: Sequence[Row], method: str, people: str, texts: str = "new") -> list[float]:
    """Micro-F1 of every seed."""
    wanted = (method, people, texts)
    return [row["micro_f1"] for row in rows if (row["method"], row["people"], row["texts"]) == wanted]


def measuring(folder: Path, most: int | None, embed: Embed, threads: int) -> tuple[str, Callable[[int], Iterator[Row]]]:
    """To which part of the result the rows of a set belong, and what measures it with a seed."""
    if spaces.is_of_levels(folder):
        levels = spaces.read(folder, most)
        return "levels", lambda seed: spaces.measured(levels, embed, seed, threads)
    if questions.is_of_questions(folder):
        asked = questions.read(folder, most)
        return "questions", lambda seed: questions.measured(asked, embed, seed, threads)
    material = read(folder, most)

    def of_several(seed: int) -> Iterator[Row]:
        yield regression(material, embed, seed)
        for noise in (GOOD, WEAK):
            yield from measured(material, embed, noise, seed, threads)

    return "rows", of_several


def main() -> None:
    """Measure, and write rows and summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets")
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON")
    parser.add_argument("--sets", nargs="+", default=SETS, help="names of folders in --data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=int, help="of each part, most")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows of each part, one seed")
    parser.add_argument("--cache", type=Path, default=Path("runs/answers-cache"), help="embeddings")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    embed = EmbeddingCache(given.cache, load_encoder("default", given.threads)).embed
    most, found = QUICK_ROWS if given.quick else given.rows, {"rows": list[Row](), "questions": [], "levels": []}
    for name in given.sets:
        part, measure = measuring(given.data / name, most, embed, given.threads)
        for seed in range(1 if given.quick else given.seeds):
            for row in measure(seed):
                found[part].append(row)
                print(json.dumps(row, ensure_ascii=False), flush=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "rows": [row for part in found.values() for row in part],
        "summary": summary(found["rows"]),
        "questions": questions.summary(found["questions"]),
        "levels": spaces.summary(found["levels"]),
    }
    given.out.write_text(json.dumps(result, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
