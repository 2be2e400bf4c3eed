"""Is a training that goes on from the served student's head as good as one from scratch? Paired, on real texts.

Both learn from the same answers of the offline teacher and the same labels of people, after a chain of trainings
in which these labels came in portions, as they do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median

import numpy as np

from benchmarks.shared.datasets import Job, chosen_rows, similarity_job
from benchmarks.shared.folders import plain_sets
from benchmarks.speed.rows import Row, row
from benchmarks.speed.web import scratch
from model.arrays import Embed, IntArray
from model.encoder.embeddings import EmbeddingCache
from model.encoder.runtimes import preferred, sleeping
from model.labels import HumanLabel
from model.student.head import HeadStudent
from model.train import TrainingOptions, train_student, training_data

DATASET, ROWS = "dbpedia14", 10_000
FIRST, PORTION, LINKS = 20, 40, 2  # people's labels at the first training, new ones at each later one, and how many


@dataclass(frozen=True)
class Material:
    """A job, and what is right."""

    job: Job
    embed: Embed
    pool: IntArray
    new: IntArray

    def trained(self, seed: int, labels: int, start: HeadStudent | None) -> tuple[HeadStudent, float]:
        """A student of so many random human labels, and the processor seconds that it took."""
        train, began = self.job.train, time.process_time()
        known = set(np.random.default_rng(seed).permutation(len(train))[:labels].tolist())
        people = [HumanLabel((label,)) if place in known else None for place, label in enumerate(train.gold)]
        data = training_data(self.job.space, train.texts, train.answers, people)
        options = TrainingOptions(runtime=preferred(), seed=seed)
        student, report = train_student(self.job.space, data, options, self.embed, start=start)
        if not isinstance(student, HeadStudent) or report.went_on != (start is not None):
            raise RuntimeError("the pool is too small: every training of it begins anew")
        return student, time.process_time() - began

    def right(self, student: HeadStudent) -> tuple[float, float]:
        """Shares of the pool's own texts and of new ones that are answered right."""
        texts = ((self.job.train.texts, self.pool), (self.job.test.texts, self.new))
        shares = [float((student.probabilities(some, self.embed).argmax(1) == gold).mean()) for some, gold in texts]
        return shares[0], shares[1]


def going_on_rows(data: Path, seeds: int) -> tuple[list[Row], dict[str, float]]:
    """Accuracy on the pool and on new texts after a chain of trainings, each way, and processor seconds of the last."""
    rows: list[Row] = []
    changes: dict[str, list[float]] = {"pool": [], "new texts": []}
    seconds: dict[str, list[float]] = {"from scratch": [], "going on": []}
    with scratch() as folder:
        material = _material(data, folder)
        for seed in range(seeds):
            found = _pair(material, seed)
            for way, (shares, spent) in found.items():
                seconds[way].append(spent)
                rows += [row(f"accuracy, {what}", way, share, "share", seed)
                         for what, share in zip(changes, shares, strict=True)]  # fmt: skip
                rows.append(row("training, processor", way, spent, "s", seed))
            for place, what in enumerate(changes):
                changes[what].append(found["going on"][0][place] - found["from scratch"][0][place])
    rows += [row(f"change, {what}", "going on", value, "share", seed)
             for what, values in changes.items() for seed, value in enumerate(values)]  # fmt: skip
    return rows, {
        "going_on_accuracy": mean(changes["pool"]),
        "going_on_accuracy_new": mean(changes["new texts"]),
        "going_on_speed": median(seconds["from scratch"]) / median(seconds["going on"]),
    }


def _pair(material: Material, seed: int) -> dict[str, tuple[tuple[float, float], float]]:
    student, _ = material.trained(seed, FIRST, None)
    spent, labels = 0.0, FIRST
    for _ in range(LINKS):
        labels += PORTION
        student, spent = material.trained(seed, labels, student)
    anew, longer = material.trained(seed, labels, None)
    return {"from scratch": (material.right(anew), longer), "going on": (material.right(student), spent)}


def _material(data: Path, folder: Path) -> Material:
    embed = EmbeddingCache(folder, sleeping("default", preferred(), folder)).embed
    job = similarity_job(data, plain_sets(data, (DATASET,))[0], embed)
    job = replace(job, train=chosen_rows(job.train, range(min(ROWS, len(job.train)))))
    pool, new = (np.array([job.space.index(label) for label in part.gold]) for part in (job.train, job.test))
    return Material(job, embed, pool, new)
