"""What the refinery costs: seconds of an epoch with equation 1 alone, and with selection, sharpening and override."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from model.training import refinery
from model.training.head_training import HeadLearner
from model.training.loop import take_snapshot
from model.training.options import TrainingOptions
from model.training.targets import RefineryTargets

ROWS, WIDTH, LABELS, BATCH = 10_000, 384, 20, 128


def overhead_rows(options: TrainingOptions) -> list[dict[str, Any]]:
    """Rows for the time of an epoch of a head, of the snapshot it needs, and of equations 1 to 5 themselves."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(ROWS, WIDTH)).astype(np.float32)
    sets = torch.from_numpy(random.random((ROWS, LABELS)) < 0.15)
    sets[torch.arange(ROWS), torch.from_numpy(random.integers(LABELS, size=ROWS))] = True
    learner = HeadLearner(vectors, LABELS, options, 1000)
    human = torch.zeros(ROWS, dtype=torch.bool)
    targets = RefineryTargets(sets, human, refinery.Gate(2, 0, open=True), 0.85, 0.5, 0.99)
    batches = torch.randperm(ROWS).split(BATCH)  # type: ignore[no-untyped-call]
    forward = _timed(lambda: _epoch(learner, batches))
    snapshot = _timed(lambda: take_snapshot(learner, targets, None))
    found = take_snapshot(learner, targets, None)
    select = _timed(lambda: targets.begin(1, found))
    probs = torch.softmax(torch.randn(BATCH, LABELS), 1)
    target = _timed(lambda: [targets.batch(rows, probs[: len(rows)], 1.0) for rows in batches])
    common = {"dataset": "simulated", "teacher": "none", "method": "overhead", "seed": 0, "human": 0.0}
    parts = {"epoch": forward, "snapshot": snapshot, "selection": select, "targets": target}
    return [{**common, "part": name, "seconds": seconds, "rows": ROWS} for name, seconds in parts.items()]


def _epoch(learner: HeadLearner, batches: Sequence[torch.Tensor]) -> None:
    for rows in batches:
        log_probs = torch.log_softmax(learner.logits(rows), 1)
        learner.step(-log_probs[:, 0].mean())


def _timed(work: Any, repeats: int = 5) -> float:
    """Fastest of some repeats, CPU seconds, so that neighbours on the machine do not count."""
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best
