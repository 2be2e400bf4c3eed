"""What a small cross-encoder, which reads both texts at once, is worth beside the student, and what it costs.

    python -m benchmarks.pairs.cross_encoder --data DIR --sets sick_nli mrpc [--rows 1500] [--steps 200]

The default encoder's layers but the first two are fine-tuned on gold labels, mean pooling under a linear head, batches
of 16. Prints a line per set: accuracy of the student, of the cross-encoder and of their mean; CPU seconds of training
and milliseconds per pair, on one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from torch import Tensor

from benchmarks.pairs.figures import figures
from benchmarks.pairs.material import Material, Rows, read
from benchmarks.pairs.students import answers_of_student
from model.arrays import Embed, FloatArray
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.encoder.loading import load_checkpoint

BATCH, LONGEST = 16, 128
RATE, HEAD_RATE = 5e-5, 1e-3
FROZEN = ("embeddings.", "layer.0.", "layer.1.")


class CrossEncoder:
    """The encoder under a head, which reads pairs."""

    def __init__(self, material: Material) -> None:
        found = load_checkpoint("default")
        self._tokenizer: Any = found.tokenizer
        self._model: Any = found.pooled.model
        self._pair, labels = material.pair, len(material.space)
        for name, weights in self._model.named_parameters():
            weights.requires_grad_(not any(part in name for part in FROZEN))
        self._head = torch.nn.Linear(self._model.config.hidden_size, labels)

    def learn(self, rows: Rows, steps: int) -> None:
        """So many steps of AdamW with linear decay."""
        moved = [weights for weights in self._model.parameters() if weights.requires_grad]
        groups = [{"params": moved, "lr": RATE}, {"params": self._head.parameters(), "lr": HEAD_RATE}]
        mover = torch.optim.AdamW(groups, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.LinearLR(mover, 1.0, 0.1, total_iters=steps)
        random, gold = np.random.default_rng(0), torch.from_numpy(rows.gold)
        self._model.train()
        for _ in range(steps):
            some = random.choice(len(rows), BATCH, replace=False)
            loss = torch.nn.functional.cross_entropy(self._logits([rows.texts[row] for row in some]), gold[some])
            mover.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(moved, 1.0)
            mover.step()
            schedule.step()

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        """Probabilities `(n, C)`."""
        self._model.eval()
        with torch.no_grad():
            parts = [self._logits(texts[start : start + BATCH]).softmax(1) for start in range(0, len(texts), BATCH)]
        found: FloatArray = torch.cat(parts).numpy()
        return found

    def _logits(self, texts: Sequence[str]) -> Tensor:
        pairs = [self._pair.parts(text) for text in texts]
        left, right = [one for one, _ in pairs], [other for _, other in pairs]
        inputs = self._tokenizer(left, right, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        states, seen = self._model(**inputs).last_hidden_state, inputs["attention_mask"].unsqueeze(-1)
        logits: Tensor = self._head((states * seen).sum(1) / seen.sum(1))
        return logits


def measured(material: Material, embed: Embed, steps: int) -> dict[str, object]:
    """Accuracy and costs."""
    torch.manual_seed(0)
    student = answers_of_student(material, embed)
    model, started = CrossEncoder(material), time.process_time()
    model.learn(material.train, steps)
    learned, test = time.process_time(), material.test
    shares = model(test.texts)
    each = 1000 * (time.process_time() - learned) / len(test)
    both: FloatArray = ((student + shares) / 2).astype(np.float32)
    named = {"student": student, "cross-encoder": shares, "mean of both": both}
    right = {name: round(figures(material, test, found)["accuracy"], 4) for name, found in named.items()}
    costs = {"train_cpu_s": round(learned - started, 1), "ms_per_pair": round(each, 2)}
    return {"dataset": material.name, **right, **costs, "rows": len(material.train), "steps": steps}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets of pairs")
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--rows", type=int, default=1500, help="pairs of each part, at most")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--cache", type=Path, default=Path("runs/pairs-cache"), help="embeddings")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    torch.set_num_threads(1)
    for name in given.sets:
        print(json.dumps(measured(read(given.data / name, given.rows), embed, given.steps)), flush=True)


if __name__ == "__main__":
    main()
