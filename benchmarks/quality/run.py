"""One measurement of the quality benchmark: a method on a job with a seed and a share of human labels."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.shared.datasets import Job
from model.acquisition.pool import Pool, from_array
from model.acquisition.rules import rule
from model.acquisition.selection import select
from model.arrays import Embed, FloatArray, IntArray
from model.calibration import conformal_threshold, covered_sets
from model.student.student import Student
from model.train import TrainingData, train_student, training_data
from model.training.adaptation import adapt
from model.training.options import TrainingOptions, TrainingReport

TABLE = ("teacher", "distillation", "uniform", "renormalised", "refinery", "freeal", "shortlist", "gold")
SINGLES = ("teacher-single", "distillation-single")  # where the stored single answer is not the first candidate
ADAPTED = "shortlist-adapted"  # our default, once its encoder was adapted in the background
CHOSEN = {  # labels of the tasks that acquisition asks people for, in place of random ones
    "shortlist-chosen": "shortlist",
    "supervised-chosen": "supervised",
}
TARGET = 0.9  # stated coverage of the conformal sets
SPLITS = 20


@dataclass(frozen=True)
class Task:
    """What is measured. `human` is a share of the train rows, or a count where it is above 1."""

    job: str
    method: str
    seed: int
    human: float = 0.0

    @property
    def key(self) -> tuple[str, str, int, float]:
        """What makes two measurements the same."""
        return (self.job, self.method, self.seed, self.human)


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
        return dataclasses.replace(self.data, candidates=candidates, human=decided)

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
        "dataset": job.dataset, "teacher": job.teacher, "method": task.method, "seed": task.seed, "human": task.human,
        "train_rows": len(material.data), "labels": len(job.space),
    }  # fmt: skip
    if task.method in ("teacher", "teacher-single"):
        return {**row, **_teacher(material, single=task.method.endswith("single"))}
    people = material.with_people(task, options)
    data = _data(material, task, people)
    started = time.monotonic()
    how = dataclasses.replace(options, seed=task.seed, method=_method(task))
    own = adapt(data, how) if task.method == ADAPTED else None
    student, report = train_student(job.space, data, how, material.embed, own=own)
    seconds = time.monotonic() - started
    unlabelled = ~people.human
    train = student.probabilities(material.data.texts, material.embed)
    test = student.probabilities(job.test.texts, material.embed)
    row |= {
        "train_accuracy": share(train.argmax(1)[unlabelled], material.gold[unlabelled]),
        "test_accuracy": share(test.argmax(1), material.test_gold),
        "human_labels": int((~unlabelled).sum()), "seconds": round(seconds, 3),
    }  # fmt: skip
    return row | _conformal(task, test, material.test_gold) | _more(report, student)


def _teacher(material: Material, single: bool) -> dict[str, Any]:
    first = material.singles if single else material.data.first
    later = material.test_singles if single else material.test_first
    covered = material.data.candidates[np.arange(len(material.gold)), material.gold]
    return {
        "train_accuracy": share(first, material.gold),
        "test_accuracy": share(later, material.test_gold) if (later >= 0).all() and len(later) else None,
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


def _method(task: Task) -> str:
    name = CHOSEN.get(task.method, task.method)
    names = {"supervised": "gold", "distillation-single": "distillation", ADAPTED: "shortlist"}
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
