"""What a head costs on a large pool: seconds and peak memory of one training on simulated embeddings.

    python -m benchmarks.quality.scale --out FILE.json [--rows 1000000] [--labels 20]

Everything but the encoder is real: beliefs, closed-form neighbours, targets, and the head. `peak_mib` is the largest
resident set of the process; the vectors (float16) are mapped from a temporary file, whose pages count as resident while
there is room for them, so `private_mib`, without mapped files, is what a smaller machine would need at least.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from model.arrays import Embed, FloatArray, IntArray
from model.labels import LabelSpace
from model.train import train_student
from model.training.data import TrainingData
from model.training.options import TrainingOptions

WIDTH = 384
NOISE = 1.5  # spread of texts around their label's centre
RIGHT = 0.7  # share of right answers of the simulated teacher
LOOK_SECONDS = 0.25


def main() -> None:
    """Measure once, write one row."""
    parser = argparse.ArgumentParser(description="Seconds and memory of training a head on many rows")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    row = measured(given.rows, given.labels, TrainingOptions(way="head", threads=given.threads))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"rows": [row], "summary": row}, indent=1))
    print(json.dumps(row, indent=1))


def measured(rows: int, labels: int, options: TrainingOptions) -> dict[str, Any]:
    """The row of one training on `rows` simulated texts."""
    truth = np.random.default_rng(0).integers(labels, size=rows)
    data, embed = simulated(truth, labels), simulated_encoder(truth, labels)
    with Watch() as watch:
        space = LabelSpace.of([f"label {number}" for number in range(labels)])
        started = time.monotonic()
        student, report = train_student(space, data, options, embed, progress=watch.note)
        seconds = time.monotonic() - started
    sample = np.arange(0, rows, max(1, rows // 20_000))
    said = student.probabilities([str(row) for row in sample], embed).argmax(1)
    return {
        "dataset": "simulated", "teacher": "none", "method": "scale", "seed": 0, "human": 0.0, "part": str(rows),
        "rows": rows, "labels": labels, "epochs": report.epochs, "seconds": round(seconds, 1),
        "teacher_accuracy": 100.0 * float((data.first == truth).mean()),
        "train_accuracy": 100.0 * float((said == truth[sample]).mean()),
        "before_mib": round(watch.before), "peak_mib": round(watch.peak), "private_mib": round(watch.private),
    }  # fmt: skip


def simulated(truth: IntArray, labels: int) -> TrainingData:
    """Sets of two labels from a teacher that puts the right one first in seven cases of ten; no human labels."""
    random, rows = np.random.default_rng(1), len(truth)
    first = np.where(random.random(rows) < RIGHT, truth, random.integers(labels, size=rows))
    second = (first + random.integers(1, labels, size=rows)) % labels
    sets = np.zeros((rows, labels), np.bool_)
    sets[np.arange(rows), first] = sets[np.arange(rows), second] = True
    texts = [str(row) for row in range(rows)]
    return TrainingData(texts, sets, np.zeros(rows, np.bool_), None, sets, first)


def simulated_encoder(truth: IntArray, labels: int) -> Embed:
    """Unit vectors around one centre per label; the text is the row's number."""
    centres = np.random.default_rng(2).normal(size=(labels, WIDTH)).astype(np.float32) / np.float32(WIDTH**0.5)

    def embed(texts: Sequence[str]) -> FloatArray:
        rows = np.array([int(text) for text in texts])
        noise = np.random.default_rng(int(rows[0])).standard_normal((len(rows), WIDTH), np.float32)
        vectors = centres[truth[rows]] + np.float32(NOISE / WIDTH**0.5) * noise
        unit: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    return embed


class Watch:
    """Largest resident memory of this process while the context lasts, MiB; read from /proc (Linux)."""

    def __init__(self) -> None:
        self.before, _ = _resident()
        self.peak, self.private = self.before, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def note(self, share: float, message: str) -> None:
        """Progress of the training, printed once per tenth."""
        step = int(share * 10)
        if step > getattr(self, "_step", -1):
            self._step = step
            print(f"{share:4.0%}  {message}, {self.peak:.0f} MiB at most so far", flush=True)

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            total, private = _resident()
            self.peak, self.private = max(self.peak, total), max(self.private, private)


def _resident() -> tuple[float, float]:
    """Resident memory and the part of it that is no mapped file, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "RssAnon"))}
    return int(found["VmRSS"]) / 1024, int(found["RssAnon"]) / 1024


if __name__ == "__main__":
    main()
