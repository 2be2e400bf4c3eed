"""Is a training that goes on from the served student's head as good as one from scratch? And one that goes on with a
part of the pool only, as of more than 100,000 tasks? Paired, on real texts.

All learn from the same answers of the offline teacher and the same labels of people, after a chain of trainings in
which these labels came in portions, as they do. A part is drawn anew for every training: what people decided, and 4,000
others. Beside it: how many answers of the pool a training that goes on leaves as the one before gave them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
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
PART = 4_000  # rows beside people's, of a training that reads a part
WAYS = ("from scratch", "going on", "going on with parts")


@dataclass(frozen=True)
class Material:
    """A job, and what is right."""

    job: Job
    embed: Embed
    pool: IntArray
    new: IntArray

    def trained(
        self, seed: int, labels: int, start: HeadStudent | None, part: bool = False
    ) -> tuple[HeadStudent, float]:
        """A student of so many random human labels and all rows, or a `part` of them, and the processor seconds that it
        took."""
        train, began = self.job.train, time.process_time()
        known = set(np.random.default_rng(seed).permutation(len(train))[:labels].tolist())
        rows: Sequence[int] = range(len(train))
        if part:
            drawn = np.random.default_rng([seed, labels]).choice(len(train), PART, replace=False)
            rows = sorted(known | {*drawn.tolist()})
        some = chosen_rows(train, rows)
        people = [HumanLabel((train.gold[place],)) if place in known else None for place in rows]
        data = training_data(self.job.space, some.texts, some.answers, people)
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

    def left(self, before: HeadStudent, after: HeadStudent) -> dict[str, float]:
        """Shares of the pool's answers that the later student leaves: labels, and labels with rounded scores."""
        first, second = (one.probabilities(self.job.train.texts, self.embed) for one in (before, after))
        same = first.argmax(1) == second.argmax(1)
        scores = first.max(1), second.max(1)
        found = {"labels left": float(same.mean())}
        for digits in (1, 2):
            alike = np.round(scores[0], digits) == np.round(scores[1], digits)
            found[f"labels left, and scores to {digits} digits"] = float((same & alike).mean())
        return found


def going_on_rows(data: Path, seeds: int) -> tuple[list[Row], dict[str, float]]:
    """Accuracy on the pool and on new texts after a chain of trainings, each way, and processor seconds of the last."""
    rows: list[Row] = []
    right: dict[tuple[str, str], list[float]] = {}
    with scratch() as folder:
        material = _material(data, folder)
        for seed in range(seeds):
            found, left = _chains(material, seed)
            for way, (shares, spent) in found.items():
                for what, share in zip(("pool", "new texts"), shares, strict=True):
                    right.setdefault((way, what), []).append(share)
                    rows.append(row(f"accuracy, {what}", way, share, "share", seed))
                rows.append(row("training, processor", way, spent, "s", seed))
            rows += [row(what, "going on", share, "share", seed) for what, share in left.items()]
    changes = {key: [mine - other for mine, other in zip(values, right[WAYS[0], key[1]], strict=True)]
               for key, values in right.items() if key[0] != WAYS[0]}  # fmt: skip
    rows += [row(f"change, {what}", way, value, "share", seed)
             for (way, what), values in changes.items() for seed, value in enumerate(values)]  # fmt: skip
    seconds = {way: median(one["value"] for one in rows if (one["what"], one["method"]) == ("training, processor", way))
               for way in WAYS}  # fmt: skip
    return rows, {
        "going_on_accuracy": mean(changes[WAYS[1], "pool"]),
        "going_on_accuracy_new": mean(changes[WAYS[1], "new texts"]),
        "going_on_speed": seconds[WAYS[0]] / seconds[WAYS[1]],
        "parts_accuracy": mean(changes[WAYS[2], "pool"]),
        "parts_accuracy_new": mean(changes[WAYS[2], "new texts"]),
    }


def _chains(material: Material, seed: int) -> tuple[dict[str, tuple[tuple[float, float], float]], dict[str, float]]:
    """What each way reaches, and what the last training of the second one leaves of the pool's answers."""
    found = {}
    whole = FIRST + LINKS * PORTION
    anew, longer = material.trained(seed, whole, None)
    found[WAYS[0]] = (material.right(anew), longer)
    for way in WAYS[1:]:
        student, _ = material.trained(seed, FIRST, None)
        spent, before = 0.0, student
        for labels in range(FIRST + PORTION, whole + 1, PORTION):
            before = student
            student, spent = material.trained(seed, labels, student, way == WAYS[2])
        found[way] = (material.right(student), spent)
        if way == WAYS[1]:
            left = material.left(before, student)
    return found, left


def _material(data: Path, folder: Path) -> Material:
    embed = EmbeddingCache(folder, sleeping("default", preferred(), folder)).embed
    job = similarity_job(data, plain_sets(data, (DATASET,))[0], embed)
    job = replace(job, train=chosen_rows(job.train, range(min(ROWS, len(job.train)))))
    pool, new = (np.array([job.space.index(label) for label in part.gold]) for part in (job.train, job.test))
    return Material(job, embed, pool, new)
