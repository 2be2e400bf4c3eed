"""Sets with one question whose labels are levels or leaves of a tree: student, teacher, logistic regression on gold.

Rows of such a set are {"text", "label"} with labels in order, {"fields", "label"} where the levels are about two texts,
or {"text", "path"}, a way from the root to a leaf. The teacher is the one of `questions`: near labels are confused more
often. Levels are learned a second time as labels without an order, to see what the order is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from backend.serving.answers import answers as serve
from benchmarks.answers import files
from benchmarks.answers.noise import closeness
from benchmarks.answers.questions import PEOPLE, named
from model.arrays import Embed, FloatArray, IntArray
from model.decoding import chosen
from model.labels import CandidateSet, HumanLabel, Label, LabelSpace
from model.pair_views import RELATION, PairView
from model.pairs import Pair
from model.set_evaluation import ordered_figures
from model.train import train_student, training_data
from model.training.options import TrainingOptions

KINDS = ("ordered", "pairs, ordered", "taxonomy")
STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # of the regression, chosen by 5 folds
Row = dict[str, Any]


@dataclass(frozen=True)
class Levels:
    """A set with the right label of its train and test texts; `above` `(C,)`: the branch of each leaf, if a tree."""

    name: str
    space: LabelSpace
    texts: tuple[list[str], list[str]]
    truth: tuple[IntArray, IntArray]
    above: IntArray | None
    pair: Pair | None = None

    def seen(self, embed: Embed) -> Embed:
        """What a rival sees of tasks: texts, or features of two."""
        return embed if self.pair is None else PairView(self.pair, RELATION).embed(embed)


def is_of_levels(folder: Path) -> bool:
    """Whether a set is of this kind."""
    return files.kind(folder) in KINDS


def read(folder: Path, rows: int | None) -> Levels:
    """A set, at most `rows` of each part."""
    content = files.labels(folder)
    tree = (
        [(branch, leaf) for branch, leaves in content.items() for leaf in leaves] if isinstance(content, dict) else []
    )
    names = [leaf for _, leaf in tree] or list(content)
    space = LabelSpace(tuple(Label(name) for name in names), folder.name, "one" if tree else "ordered")
    parts = []
    for found in files.parts(folder):
        order = np.random.default_rng(len(found)).permutation(len(found))  # some sets are sorted by label
        parts.append([found[place] for place in order[:rows]])
    names_of_two = tuple(parts[0][0].get("fields", ()))
    texts = [[_text(row) for row in part] for part in parts]
    truth = [np.array([space.index(row["path"][-1] if tree else row["label"]) for row in part]) for part in parts]
    branches = list(content)
    above = np.array([branches.index(branch) for branch, _ in tree]) if tree else None
    pair = Pair(names_of_two, tuple(f"{name}: " for name in names_of_two)) if names_of_two else None
    return Levels(folder.name, space, (texts[0], texts[1]), (truth[0], truth[1]), above, pair)


def _text(row: Row) -> str:
    """As the product reads a task."""
    return (
        row["text"] if "text" in row else "\n\n".join(f"{name}: {text.strip()}" for name, text in row["fields"].items())
    )


def measured(levels: Levels, embed: Embed, seed: int, threads: int) -> Iterator[Row]:
    """The teacher, students with more and more of people's labels, and regressions on the same and on all labels."""
    space, (texts, new), (truth, asked) = levels.space, levels.texts, levels.truth
    said, taught = (
        [simulated(space, right, near, random) for right, near in zip(gold, closeness(space, embed, part), strict=True)]
        for part, gold, random in zip(levels.texts, levels.truth, generators(seed), strict=True)
    )
    here = {"set": levels.name, "seed": seed}
    first = np.array([space.index(one.labels[0]) for one in taught])
    yield {**here, "method": "teacher", "people": "none", **figures(levels, first, asked)}
    order = np.random.default_rng(seed).permutation(len(texts))
    for people, share in PEOPLE.items():
        rows = order[: round(share if share > 1 else share * len(order))]
        labels: list[HumanLabel | None] = [None] * len(texts)
        for row in rows:
            labels[row] = HumanLabel((space.names[truth[row]],))
        how = TrainingOptions(seed=seed, threads=threads, way="head", pair=levels.pair)
        data = training_data(space, texts, said, labels)
        student, report = train_student(space, data, how, embed)
        shares = student.probabilities(new, embed)
        served = np.array([space.index(one.label) for one in serve(space, shares, None)])
        found = {"linear_head": report.found.get("linear_head")}
        yield {**here, "method": "student", "people": people, **figures(levels, served, asked), **found}
        if levels.above is None:
            likeliest = figures(levels, shares.argmax(1), asked)
            yield {**here, "method": "student, likeliest", "people": people, **likeliest}
            other, _ = train_student(replace(space, answer="one"), data, how, embed)
            without = figures(levels, chosen("ordered", other.probabilities(new, embed)), asked)
            yield {**here, "method": "student without the order", "people": people, **without}
        if len(rows):
            see = levels.seen(embed)
            answers = regression(see([texts[row] for row in rows]), truth[rows], see(new))
            yield {**here, "method": "logistic regression", "people": people, **figures(levels, answers, asked)}


def generators(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Of the teacher's errors, for the train and the test part."""
    return np.random.default_rng(2 * seed), np.random.default_rng(2 * seed + 1)


def simulated(space: LabelSpace, right: int, near: FloatArray, random: np.random.Generator) -> CandidateSet:
    """What a teacher of stated noise says of one text."""
    return CandidateSet(tuple(named([space.names[right]], space, near, random)))


def regression(vectors: FloatArray, labels: IntArray, asked: FloatArray) -> IntArray:
    """Logistic regression, its strength chosen by 5 folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, KFold

    if len(set(labels.tolist())) < 2:
        return np.full(len(asked), labels[0])
    folds = KFold(5, shuffle=True, random_state=0)
    chosen = GridSearchCV(LogisticRegression(max_iter=1000), {"C": STRENGTHS}, cv=folds, error_score=0.0)
    answers: IntArray = chosen.fit(vectors, labels).predict(asked)
    return answers


def figures(levels: Levels, answers: IntArray, truth: IntArray) -> Row:
    """Accuracy in percent; of levels the mean error and quadratic kappa, of a tree the hierarchical F1 in percent."""
    exact = 100.0 * float((answers == truth).mean())
    if levels.above is None:
        return {"accuracy": exact, **ordered_figures(answers.tolist(), truth.tolist(), len(levels.space))}
    branch = 100.0 * float((levels.above[answers] == levels.above[truth]).mean())
    return {"accuracy": exact, "branch": branch, "hierarchical_f1": (exact + branch) / 2}  # a leaf and its branch


def summary(rows: Sequence[Row]) -> Row:
    """By set, method and people's labels: every figure as mean over seeds."""
    found: Row = {}
    for row in rows:
        part = found.setdefault(f"{row['set']}, {row['method']}, {row['people']}", {})
        for name in ("accuracy", "mean_error", "quadratic_kappa", "branch", "hierarchical_f1"):
            if row.get(name) is not None:
                part.setdefault(name, []).append(row[name])
    return {key: {name: round(mean(values), 2) for name, values in part.items()} for key, part in found.items()}
