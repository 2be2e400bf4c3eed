"""Training of a cross-encoder: cross entropy with soft targets, AdamW with linear decay.

Settings are those of short fine-tuning of BERT (Mosbach et al., 2021), for minutes on a processor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import structlog
import torch

from model.arrays import FloatArray, Progress, Stop
from model.encoder.runtimes import preferred
from model.errors import TrainingError, TrainingStopped
from model.student.cross_encoder import BATCH, CrossEncoder
from model.training.options import TrainingOptions

log = structlog.get_logger(__name__)

PASSES = 2  # over all pairs, within these steps
LEAST_STEPS, MOST_STEPS = 200, 1_000
RATE, HEAD_RATE = 5e-5, 1e-3


def learn(
    texts: Sequence[str],
    shares: FloatArray,
    options: TrainingOptions,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> CrossEncoder:
    """A cross-encoder on the encoder of the options that learned targets `(n, C)` of n texts of two.

    TrainingStopped within a step after `stop()` says so, TrainingError on a loss that is not finite.
    """
    assert options.pair is not None, "the caller has pairs"
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    cross = CrossEncoder(options.pair, options.encoder, shares.shape[1]).train()
    cross.to("cuda" if torch.cuda.is_available() else "cpu")
    moved, steps = cross.moved(), steps_for(len(texts))
    groups = [{"params": moved, "lr": RATE}, {"params": cross.classifier.parameters(), "lr": HEAD_RATE}]
    mover = torch.optim.AdamW(groups, weight_decay=options.weight_decay)
    schedule = torch.optim.lr_scheduler.LinearLR(mover, 1.0, 0.1, total_iters=steps)
    random, device = np.random.default_rng(options.seed), cross.classifier.weight.device
    targets = torch.from_numpy(np.asarray(shares, np.float32))
    for step in range(steps):
        if stop is not None and stop():
            raise TrainingStopped(f"stopped in step {step + 1} of {steps} of training the cross-encoder")
        rows = random.choice(len(texts), min(BATCH, len(texts)), replace=False)
        with torch.autocast(device.type, torch.bfloat16, enabled=preferred() == "bfloat16"):
            logits = cross([texts[row] for row in rows])
        loss = torch.nn.functional.cross_entropy(logits.float(), targets[rows].to(device))
        if not bool(torch.isfinite(loss)):
            raise TrainingError(f"the loss of the cross-encoder is {loss.item()} in step {step + 1}")
        mover.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(moved, 1.0)
        mover.step()
        schedule.step()
        if progress is not None:
            progress((step + 1) / steps, "training the cross-encoder")
    log.info("cross_encoder_trained", rows=len(texts), steps=steps)
    return cross.eval().to("cpu")


def steps_for(rows: int) -> int:
    """How many steps of BATCH pairs."""
    return min(MOST_STEPS, max(LEAST_STEPS, math.ceil(PASSES * rows / BATCH)))
