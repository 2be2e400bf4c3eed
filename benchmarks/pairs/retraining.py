"""How long a student of 10,000 pairs takes to learn, once every text's vector is known.

    python -m benchmarks.pairs.retraining --data DIR/sick_nli [--pairs 10000] [--threads 2]

Prints one JSON object: pairs, threads, wall and CPU seconds, what the student sees.

First and second texts of the set are joined anew until there are enough pairs, so that labels of the added ones are
random: this is about time alone. The teacher is right in three quarters, people have labelled a twentieth.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import structlog

from benchmarks.pairs.material import Material, Rows, read
from benchmarks.pairs.noise import RIGHT
from model.arrays import Embed
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.labels import CandidateSet, HumanLabel
from model.train import train_student, training_data
from model.training.data import TrainingData
from model.training.options import TrainingOptions

PEOPLE = 0.05


def enough(material: Material, count: int) -> Rows:
    """So many pairs of the set's texts."""
    pair, rows, random = material.pair, material.train, np.random.default_rng(0)
    sides = [pair.parts(text) for text in rows.texts]
    drawn = random.integers(len(sides), size=(max(0, count - len(rows)), 2))
    first, second = pair.names
    more = [f"{first}: {sides[one][0]}\n\n{second}: {sides[other][1]}" for one, other in drawn]
    gold = np.concatenate([rows.gold, rows.gold[drawn[:, 0]]])[:count]
    return Rows([*rows.texts, *more][:count], gold, np.arange(count), [""] * count)


def labelled(material: Material, rows: Rows) -> TrainingData:
    """What a project of these pairs knows."""
    names, random = material.space.names, np.random.default_rng(1)
    wrong = random.random(len(rows)) > RIGHT
    said = np.where(wrong, (rows.gold + 1) % len(names), rows.gold)
    human = random.random(len(rows)) < PEOPLE
    sets = [CandidateSet((names[one], names[(one + 1) % len(names)]), (0.75, 0.25)) for one in said]
    people = [HumanLabel((names[gold],)) if mine else None for gold, mine in zip(rows.gold, human, strict=True)]
    return training_data(material.space, rows.texts, sets, people, [1.0 if mine else None for mine in human])


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of a set of pairs")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("runs/pairs-cache"), help="embeddings")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    embed = EmbeddingCache(given.cache, load_encoder("default", given.threads)).embed
    print(json.dumps(measured(read(given.data, given.pairs), given.pairs, embed, given.threads)))


def measured(material: Material, pairs: int, embed: Embed, threads: int) -> dict[str, object]:
    """Seconds of one training on so many pairs whose texts are embedded."""
    rows = enough(material, pairs)
    data, options = labelled(material, rows), TrainingOptions(pair=material.pair, threads=threads)
    material.features(rows.texts, embed)
    wall, used = time.monotonic(), time.process_time()
    _, report = train_student(material.space, data, options, embed)
    seconds = {"wall_s": round(time.monotonic() - wall, 1), "cpu_s": round(time.process_time() - used, 1)}
    return {"pairs": len(rows), "threads": threads, **seconds, "features": report.pair["features"]}


if __name__ == "__main__":
    main()
