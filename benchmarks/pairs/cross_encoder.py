"""What a small cross-encoder, which reads both texts at once, is worth beside the student, and what it costs.

    python -m benchmarks.pairs.cross_encoder --data DIR --sets sick_nli mrpc [--rows 1500]

The product's own trial (`CROSS_ENCODER=true`) on gold labels of the train part: a line per set tells what it finds on
the quarter that judges, what that would be worth on the test part (accuracy of the student, of the cross-encoder and of
their mean), and CPU seconds of training and milliseconds per pair, on one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import structlog
import torch

from benchmarks.pairs.figures import figures
from benchmarks.pairs.material import Material, read
from benchmarks.pairs.students import answers_of_student
from model.arrays import Embed, FloatArray
from model.crossing import tried
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.training.data import TrainingData
from model.training.options import TrainingOptions


def measured(material: Material, embed: Embed, seed: int = 0) -> dict[str, object]:
    """Accuracy, what the trial says, and costs."""
    train, test = material.train, material.test
    sets = np.eye(len(material.space), dtype=np.bool_)[train.gold]
    data, started = TrainingData(train.texts, sets, np.ones(len(train), np.bool_)), time.process_time()
    cross, trial = tried(material.space, data, TrainingOptions(seed=seed, pair=material.pair), embed)
    learned = time.process_time()
    shares = cross.probabilities(test.texts)
    each = 1000 * (time.process_time() - learned) / len(test)
    student = answers_of_student(material, embed, seed)
    both: FloatArray = ((student + shares) / 2).astype(np.float32)
    named = {"student": student, "cross-encoder": shares, "mean of both": both}
    right = {name: round(figures(material, test, found)["accuracy"], 4) for name, found in named.items()}
    costs = {"trial_cpu_s": round(learned - started, 1), "ms_per_pair": round(each, 2)}
    told = {name: round(value, 4) if isinstance(value, float) else value for name, value in trial.to_json().items()}
    return {"dataset": material.name, **right, **costs, "seed": seed, "trial": told}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets of pairs")
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--rows", type=int, default=1500, help="pairs of each part, at most")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("runs/pairs-cache"), help="embeddings")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    torch.set_num_threads(1)
    for name in given.sets:
        for seed in range(given.seeds):
            print(json.dumps(measured(read(given.data / name, given.rows), embed, seed)), flush=True)


if __name__ == "__main__":
    main()
