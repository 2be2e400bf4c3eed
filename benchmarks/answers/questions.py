"""Sets of several questions, one behind another: a student of all of them beside one student for each, and the teacher.

Rows of such a set are {"text", "answers": {question: label or null}}; a question without a label is not asked, because
of the answer to the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.answers import files
from benchmarks.answers.noise import closeness
from model.arrays import Embed, FloatArray
from model.decoding import ticked
from model.group_answers import answer_of, joined, limited, within
from model.groups import Group, When, parted, qualified
from model.labels import CandidateSet, HumanLabel, Label, LabelSpace
from model.train import train_student, training_data
from model.training.options import TrainingOptions

FIRST, COVERED, WRONG = 0.75, 0.92, 0.7  # the teacher: right label first, right label named, wrong labels a set
PEOPLE = {"none": 0.0, "50": 50.0, "5 %": 0.05, "all": 1.0}
Row = dict[str, Any]
Answers = list[tuple[str, ...]]  # qualified labels of every text


@dataclass(frozen=True)
class Asked:
    """A set with the right labels of its train and test texts."""

    name: str
    space: LabelSpace
    texts: tuple[list[str], list[str]]
    truth: tuple[Answers, Answers]


def is_of_questions(folder: Path) -> bool:
    """Whether a set has several questions."""
    return files.kind(folder) == "several questions"


def read(folder: Path, rows: int | None) -> Asked:
    """A set, at most `rows` of each part. What is never answered without a label of the question before hangs on it."""
    labels: dict[str, list[str]] = files.labels(folder)
    parts = [found[:rows] for found in files.parts(folder)]
    space = _space(folder.name, labels, parts[0])
    truth = [
        [tuple(qualified(name, one) for name, one in row["answers"].items() if one is not None) for row in part]
        for part in parts
    ]
    texts = [[row["text"] for row in part] for part in parts]
    return Asked(folder.name, space, (texts[0], texts[1]), (truth[0], truth[1]))


def _space(name: str, labels: dict[str, list[str]], rows: Sequence[Row]) -> LabelSpace:
    groups: list[Group] = []
    before = ""
    for question, own in labels.items():
        start = groups[-1].stop if groups else 0
        here = {row["answers"][before] for row in rows if before and row["answers"][question] is not None}
        always = all(row["answers"][question] is not None for row in rows)
        when = () if always else (When(tuple(sorted(qualified(before, one) for one in here if one))),)
        groups.append(Group(question, "one", start, start + len(own), 1, when))
        before = question
    names = [Label(qualified(question, one), one) for question, own in labels.items() for one in own]
    return LabelSpace(tuple(names), name, "several", 1, tuple(groups))


def simulated(space: LabelSpace, truth: Answers, near: FloatArray, seed: int) -> list[CandidateSet | None]:
    """A teacher of stated noise, question by question. It does not know which are asked, but by its own answers."""
    random, found = np.random.default_rng(seed), []
    for right, shares in zip(truth, near, strict=True):
        parts: list[CandidateSet | None] = []
        possible: set[str] = set()
        for group, own in zip(space.groups, space.parts, strict=True):
            if not all(one.holds(possible) for one in group.when):
                parts.append(None)
                continue
            found_here = named(
                [parted(one)[1] for one in limited(space, right, [group])], own, shares[group.columns], random
            )
            possible |= {qualified(group.name, one) for one in found_here}
            parts.append(CandidateSet(tuple(found_here)) if found_here else None)
        found.append(joined(space, parts))
    return found


def named(right: Sequence[str], own: LabelSpace, shares: FloatArray, random: np.random.Generator) -> list[str]:
    """What the teacher names of one question's labels, the first one first; wrong ones by their `shares` `(C,)`."""
    chances = np.array([0.0 if name in right else share + 1e-9 for name, share in zip(own.names, shares, strict=True)])
    covered = bool(right) and random.random() < COVERED
    count = min(int(random.poisson(WRONG)) + (not covered), int((chances > 0).sum()))
    wrong = [own.names[at] for at in random.choice(len(own), count, replace=False, p=chances / chances.sum())]
    if not covered:
        return wrong
    first = random.random() < FIRST / COVERED or not wrong
    return [*right, *wrong] if first else [wrong[0], *right, *wrong[1:]]


def measured(asked: Asked, embed: Embed, seed: int, threads: int) -> Iterator[Row]:
    """The teacher; and with more and more of people's answers one student of all questions, and one of each alone."""
    space = asked.space
    said = [
        simulated(space, truth, closeness(space, embed, texts), 2 * seed + part)
        for part, (texts, truth) in enumerate(zip(asked.texts, asked.truth, strict=True))
    ]
    here = {"set": asked.name, "teacher": "questions", "seed": seed}
    pool, taught = ([answer_of(space, one) if one is not None else () for one in part] for part in said)
    new = {**here, "texts": "new"}
    yield from _rows({**new, "method": "teacher", "people": "none"}, space, taught, asked.truth[1])
    order = np.random.default_rng(seed).permutation(len(asked.texts[0]))
    for people, share in PEOPLE.items():
        chosen = set(order[: round(share if share > 1 else share * len(order))].tolist())
        how = TrainingOptions(seed=seed, threads=threads, way="head")
        answers, own = _together(asked, embed, said[0], chosen, how)
        yield from _rows({**new, "method": "student", "people": people}, space, answers, asked.truth[1])
        alone = _alone(asked, embed, said[0], chosen, how)
        yield from _rows({**new, "method": "student of each alone", "people": people}, space, alone, asked.truth[1])
        rest = [row for row in range(len(order)) if row not in chosen]
        truth = [asked.truth[0][row] for row in rest]
        for method, answers in (("teacher", pool), ("student", own)) if rest else ():
            head = {**here, "texts": "pool", "method": method, "people": people}
            yield from _rows(head, space, [answers[row] for row in rest], truth)


def _together(
    asked: Asked, embed: Embed, said: Sequence[CandidateSet | None], chosen: set[int], how: TrainingOptions
) -> tuple[Answers, Answers]:
    """To new texts, and as served to its own."""
    labels = [HumanLabel(one, one) if row in chosen else None for row, one in enumerate(asked.truth[0])]
    data = training_data(asked.space, asked.texts[0], said, labels)
    trained, report = train_student(asked.space, data, how, embed)
    assert report.believed is not None
    own = report.believed.over(asked.texts[0], trained.probabilities(asked.texts[0], embed), trained.thresholds)
    return _ticked(asked.space, trained.probabilities(asked.texts[1], embed), trained.thresholds), _ticked(
        asked.space, own, trained.thresholds
    )


def _alone(
    asked: Asked, embed: Embed, said: Sequence[CandidateSet | None], chosen: set[int], how: TrainingOptions
) -> Answers:
    """Each question as a project of its own; what hangs on another one is dropped where that one is answered so."""
    space = asked.space
    found: list[list[str]] = [[] for _ in asked.texts[1]]
    for place, (group, own) in enumerate(zip(space.groups, space.parts, strict=True)):
        sets = [within(space, place, one) if one is not None else None for one in said]
        right = [tuple(parted(label)[1] for label in limited(space, one, [group])) for one in asked.truth[0]]
        labels = [HumanLabel(one) if row in chosen and one else None for row, one in enumerate(right)]
        known = [row for row in range(len(sets)) if sets[row] is not None or labels[row] is not None]
        data = training_data(
            own, [asked.texts[0][row] for row in known], [sets[row] for row in known], [labels[row] for row in known]
        )
        for row, one in enumerate(_answers(own, data, asked.texts[1], embed, how)):
            if all(condition.holds(found[row]) for condition in group.when):
                found[row] += [qualified(group.name, label) for label in one]
    return [tuple(one) for one in found]


def _answers(space: LabelSpace, data: Any, texts: Sequence[str], embed: Embed, how: TrainingOptions) -> Answers:
    trained, _ = train_student(space, data, how, embed)
    return _ticked(space, trained.probabilities(texts, embed), trained.thresholds)


def _ticked(space: LabelSpace, shares: FloatArray, thresholds: FloatArray | None) -> Answers:
    rows = ticked(space, shares, thresholds)
    return [tuple(space.names[label] for label in np.flatnonzero(row)) for row in rows]


def _rows(head: Row, space: LabelSpace, answers: Answers, truth: Answers) -> Iterator[Row]:
    """Accuracy of each question where it is asked, and how often all is right, in percent."""
    for group in space.groups:
        pairs = [
            (limited(space, said, [group]), limited(space, right, [group]))
            for said, right in zip(answers, truth, strict=True)
        ]
        here = [said == right for said, right in pairs if right]
        yield {**head, "question": group.name, "accuracy": round(100.0 * float(np.mean(here)), 2)}
    whole = [set(said) == set(right) for said, right in zip(answers, truth, strict=True)]
    yield {**head, "question": "all", "accuracy": round(100.0 * float(np.mean(whole)), 2)}


def summary(rows: Sequence[Row]) -> Row:
    """By set and question: mean accuracy over seeds of every method with so many of people's answers."""
    found: Row = {}
    for row in rows:
        part = found.setdefault(f"{row['set']}, {row['question']}, {row['texts']} texts", {})
        part.setdefault(f"{row['method']}, {row['people']} of people's answers", []).append(row["accuracy"])
    return {key: {what: round(mean(values), 1) for what, values in part.items()} for key, part in found.items()}
