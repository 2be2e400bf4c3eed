"""One measurement of the quality benchmark: a method on a job with a seed and a share of human labels."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.quality.paired import NEW, OPEN, POOL, packed
from benchmarks.shared.datasets import Job, Part
from benchmarks.shared.rivals import Logistic, SoftHead, commonest, dawid_skene, teacher_shares
from benchmarks.shared.setfit import SetFit
from model.acquisition.pool import Pool, from_array
from model.acquisition.rules import rule
from model.acquisition.selection import select
from model.arrays import Embed, FloatArray, IntArray
from model.calibration import conformal_threshold, covered_sets
from model.student.student import Student
from model.train import TrainingData, train_student, training_data
from model.training.adaptation import adapt
from model.training.options import TrainingOptions, TrainingReport

PUBLISHED = ("uniform", "renormalised", "refinery", "refinery-published", "freeal")  # on stored jobs only
EVEN = "shortlist-even"  # our default, told that labels are about equally frequent
TABLE = ("teacher", "commonest", "logistic", "distillation", "soft", "shortlist", EVEN, "gold")
PANEL = ("dawid-skene",)  # where the answers of a panel's members are stored; its majority is the teacher
PEOPLE = ("shortlist", "supervised", "logistic-people", "logistic", "commonest")  # with people's labels
SINGLES = ("teacher-single", "distillation-single")  # where the stored single answer is not the first candidate
ADAPTED = "shortlist-adapted"  # our default, once its encoder was adapted in the background
CHOSEN = {  # labels of the tasks that acquisition asks people for, in place of random ones
    "shortlist-chosen": "shortlist",
    "supervised-chosen": "supervised",
    "logistic-people-chosen": "logistic-people",
}
SETFIT = "setfit"  # an encoder tuned on people's labels alone, and a head on it: seconds to minutes
RIVALS = ("commonest", "logistic", "logistic-people", "soft", "dawid-skene", SETFIT)
TARGET = 0.9  # stated coverage of the conformal sets
SPLITS = 20
LEAST_NEW = 50  # new texts below which no accuracy on them is stated


@dataclass(frozen=True)
class Task:
    """What is measured. `human` is a share of the train rows, or a count where it is above 1."""

    job: str
    method: str
    seed: int
    human: float = 0.0


class Material:
    """A job as arrays."""

    def __init__(self, job: Job, embed: Embed) -> None:
        self.job, self.embed = job, embed
        self._unlabelled: dict[int, Student] = {}
        nobody = [None] * len(job.train)
        self.data = training_data(job.space, job.train.texts, job.train.answers, nobody)
        known = [row for row, found in enumerate(job.train.answers) if found is not None]
        self.gold = np.array([job.space.index(job.train.gold[row]) for row in known])
        self.singles = np.array([_index(job, job.train.singles[row]) for row in known])
        self.test_gold = np.array([job.space.index(label) for label in job.test.gold])
        self.test_first = np.array([job.space.index(one.top) if one else -1 for one in job.test.answers])
        self.test_singles = np.array([_index(job, label) for label in job.test.singles])

        self.said = teacher_shares(job.train.answers, job.space)

    def panel(self, part: Part) -> FloatArray:
        """What Dawid and Skene's estimate makes of a part's votes `(n, C)`; the estimate is made of that part alone."""
        return dawid_skene([[_index(self.job, said) for said in row] for row in part.votes], len(self.job.space))

    def with_people(self, task: Task, options: TrainingOptions) -> TrainingData:
        """The data with gold labels on some rows, as if people had given them: random ones, or those worth it."""
        rows, human = len(self.data), task.human
        count = min(rows, round(human) if human > 1 else round(human * rows))
        if task.method in CHOSEN:
            chosen = self._worth_asking(task.seed, count, options)
        else:
            chosen = np.random.default_rng(task.seed).choice(rows, count, replace=False)
        candidates, decided = self.data.candidates.copy(), np.zeros(rows, np.bool_)
        candidates[chosen] = np.eye(len(self.job.space), dtype=np.bool_)[self.gold[chosen]]
        decided[chosen] = True
        drawn = np.full(rows, 0.0 if task.method in CHOSEN else count / rows, np.float32)
        return dataclasses.replace(self.data, candidates=candidates, human=decided, propensity=drawn)

    def _worth_asking(self, seed: int, count: int, options: TrainingOptions) -> IntArray:
        """The tasks that the default rule takes, by the student that has no human label yet."""
        how = dataclasses.replace(options, seed=seed, method="shortlist")
        if seed not in self._unlabelled:
            self._unlabelled[seed], _ = train_student(self.job.space, self.data, how, self.embed)
        vectors = self.embed(self.data.texts)
        answers = from_array(self._unlabelled[seed].probabilities(self.data.texts, self.embed))
        pool = Pool(len(self.data), answers, embeddings=vectors)
        return select(pool, rule(), count, np.arange(len(self.data)), seed).rows


def _index(job: Job, label: str) -> int:
    return job.space.index(label) if label in job.space else -1


def share(predicted: IntArray, gold: IntArray) -> float | None:
    """Accuracy in percent, None without rows."""
    return 100.0 * float((predicted == gold).mean()) if len(gold) else None


def measure(material: Material, task: Task, options: TrainingOptions) -> dict[str, Any]:
    """The row of one measurement."""
    job = material.job
    row: dict[str, Any] = {
        "dataset": job.dataset, "teacher": job.teacher, "variant": job.variant, "method": task.method,
        "seed": task.seed, "human": task.human, "train_rows": len(material.data), "labels": len(job.space),
    }  # fmt: skip
    if task.method in ("teacher", "teacher-single"):
        return {**row, **_teacher(material, single=task.method.endswith("single"))}
    people = material.with_people(task, options)
    if _single(task, people):
        task = dataclasses.replace(task, method="commonest")  # all that one label of people teaches
    if CHOSEN.get(task.method, task.method) in RIVALS:
        return {**row, **_rival(material, task, people, options)}
    data = _data(material, task, people)
    started = time.monotonic()
    frequencies = "even" if task.method == EVEN else options.frequencies
    how = dataclasses.replace(options, seed=task.seed, method=_method(task), frequencies=frequencies)
    own = adapt(data, how) if task.method == ADAPTED else None
    student, report = train_student(job.space, data, how, material.embed, own=own)
    seconds = time.monotonic() - started
    train = student.probabilities(material.data.texts, material.embed)
    test = student.probabilities(job.test.texts, material.embed)
    row |= _figures(material, people, train, test) | {"seconds": round(seconds, 3)}
    return row | _conformal(task, test, material.test_gold) | _more(report, student)


def _figures(material: Material, people: TrainingData, train: FloatArray, test: FloatArray) -> dict[str, Any]:
    """Accuracy on the pool's rows that nobody labelled, and on new texts where there are enough."""
    open_rows, enough = ~people.human, len(material.test_gold) >= LEAST_NEW
    right = {POOL: train.argmax(1) == material.gold, OPEN: open_rows}
    right |= {NEW: test.argmax(1) == material.test_gold} if enough else {}
    return {
        **{name: packed(flags) for name, flags in right.items()},
        "new_texts": len(material.test_gold),
        "train_accuracy": share(train.argmax(1)[open_rows], material.gold[open_rows]),
        "test_accuracy": share(test.argmax(1), material.test_gold) if enough else None,
        "train_macro_f1": macro_f1(train.argmax(1)[open_rows], material.gold[open_rows]),
        "human_labels": int(people.human.sum()),
    }


def macro_f1(predicted: IntArray, gold: IntArray) -> float | None:
    """Macro-F1 in percent over the labels that occur in gold, None without rows."""
    from sklearn.metrics import f1_score

    return 100.0 * float(f1_score(gold, predicted, labels=np.unique(gold), average="macro")) if len(gold) else None


def _rival(material: Material, task: Task, people: TrainingData, options: TrainingOptions) -> dict[str, Any]:
    """Figures of a method that is none of the product's."""
    name, started = CHOSEN.get(task.method, task.method), time.monotonic()
    texts = (material.data.texts, material.job.test.texts)
    pool, new = map(material.embed, texts)
    labels = np.where(people.human, material.gold, material.data.first)
    alone = people.human if people.human.any() else np.ones(len(labels), np.bool_)
    fitted: Logistic | SoftHead
    if name == "commonest":
        hot = np.eye(len(material.job.space), dtype=np.float32)[commonest(labels[alone])]
        train, test = (np.tile(hot, (rows, 1)) for rows in (len(pool), len(new)))
    elif name == "dawid-skene":
        train, test = (material.panel(part) for part in (material.job.train, material.job.test))
    elif name == SETFIT:
        taught = np.flatnonzero(alone)
        tuned = SetFit(
            [texts[0][row] for row in taught], labels[taught], material.job.space, options.encoder, task.seed
        )
        train, test = map(tuned.probabilities, texts)
    else:
        if name == "soft":
            fitted = SoftHead(pool, material.said, dataclasses.replace(options, seed=task.seed))
        else:
            rows = alone if name == "logistic-people" else labels >= 0
            fitted = Logistic(pool[rows], labels[rows], material.job.space, task.seed)
        train, test = fitted.probabilities(pool), fitted.probabilities(new)
    return {**_figures(material, people, train, test), "seconds": round(time.monotonic() - started, 3)}


def _teacher(material: Material, single: bool) -> dict[str, Any]:
    first = material.singles if single else material.data.first
    later = material.test_singles if single else material.test_first
    covered = material.data.candidates[np.arange(len(material.gold)), material.gold]
    return {
        "train_accuracy": share(first, material.gold),
        "test_accuracy": share(later, material.test_gold) if (later >= 0).all() and len(later) >= LEAST_NEW else None,
        "train_macro_f1": macro_f1(first, material.gold),
        "coverage": 100.0 * float(covered.mean()),
        "set_size": float(material.data.candidates.sum(1).mean()),
        "seconds": 0.0,
    }


def _data(material: Material, task: Task, people: TrainingData) -> TrainingData:
    if task.method == "gold":
        return dataclasses.replace(material.data, top=material.gold.astype(np.int64))
    if task.method == "distillation-single":
        return dataclasses.replace(material.data, top=material.singles.astype(np.int64))
    if CHOSEN.get(task.method, task.method) == "supervised":
        alone = people.rows(people.human)
        return dataclasses.replace(alone, confidences=None, proposed=None, top=None)
    return people


def _single(task: Task, people: TrainingData) -> bool:
    """Whether only people teach, and all of them gave one label."""
    alone = CHOSEN.get(task.method, task.method) == "supervised"
    return alone and len(np.unique(people.candidates[people.human].argmax(1))) < 2


def _method(task: Task) -> str:
    name = CHOSEN.get(task.method, task.method)
    names = {"supervised": "gold", "distillation-single": "distillation", ADAPTED: "shortlist", EVEN: "shortlist"}
    return names.get(name, name)


def _conformal(task: Task, probabilities: FloatArray, gold: IntArray) -> dict[str, Any]:
    """Coverage of conformal sets over random halves: one plays the held-out human labels, the other is measured.

    `conformal_coverage` is that of split conformal sets as such; served sets are never empty, which covers a little
    more where the student's first label is right more often than the target asks.
    """
    if task.method not in ("shortlist", ADAPTED) or len(gold) < 60:
        return {}
    found = []
    for split in range(SPLITS):
        order = np.random.default_rng([task.seed, split]).permutation(len(gold))
        known, new = order[: len(order) // 2], order[len(order) // 2 :]
        threshold = conformal_threshold(probabilities[known], gold[known], TARGET)
        if threshold is None:
            return {}
        sets, truth = covered_sets(probabilities[new], threshold), gold[new]
        plain = 1.0 - probabilities[new, truth].astype(np.float64) <= threshold + 1e-12
        found.append((plain.mean(), sets[np.arange(len(new)), truth].mean(), sets.sum(1).mean()))
    plain_share, served, size = np.mean(found, axis=0)
    return {
        "conformal_coverage": 100.0 * float(plain_share),
        "conformal_served": 100.0 * float(served),
        "conformal_size": float(size),
    }


def _more(report: TrainingReport, student: Student) -> dict[str, Any]:
    return {"way": report.way, "found": report.found, "heads": len(getattr(student, "heads", [0]))}
