"""How long one selection takes on a large pool.  python -m benchmarks.sampling.speed [--tasks 1000000]

Random vectors on disk (float16, 384 dimensions), a head with 256 hidden units, 5 labels. Prints seconds and memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from model.acquisition.base_model import ClassMeans
from model.acquisition.pool import Pool, Vectors, from_vectors
from model.acquisition.rules import DEFAULT, rule
from model.acquisition.selection import select
from model.acquisition.temperature import matching_temperature, tempered
from model.arrays import FloatArray, softmax

WIDTH, HIDDEN, LABELS, CHOSEN = 384, 256, 5, 1000


def main(arguments: list[str] | None = None) -> None:
    """Measure the default and the total-variation rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    tasks = parser.parse_args(arguments).tasks
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix="shortlist-") as folder:
        vectors = written(Path(folder) / "vectors.npy", tasks, random)
        hidden, out = (random.normal(size=shape).astype(np.float32) for shape in ((WIDTH, HIDDEN), (HIDDEN, LABELS)))

        def student(part: FloatArray) -> FloatArray:
            return softmax(np.maximum(part @ hidden, 0.0) @ out / np.float32(8.0))

        answers = from_vectors(vectors, student)
        means = from_vectors(vectors, ClassMeans(random.normal(size=(LABELS, WIDTH)).astype(np.float32)))
        base = tempered(means, matching_temperature(answers, means, np.arange(tasks)))
        pool = Pool(tasks, answers, base, (), vectors)
        for name in dict.fromkeys((DEFAULT, "margin", "ci-total-variation")):
            measure(pool, name)


def measure(pool: Pool, name: str) -> None:
    """One selection of 1,000 tasks."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = select(pool, rule(name), CHOSEN, np.arange(pool.size), seed=0)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {len(found.rows)} of {pool.size} in {wall:.1f} s ({cpu:.1f} s CPU), at most {memory:.0f} MB",
        flush=True,
    )


def written(path: Path, tasks: int, random: np.random.Generator) -> Vectors:
    """Vectors on disk, written in blocks."""
    shape = (tasks, WIDTH)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)  # type: ignore[no-untyped-call]
    for start in range(0, tasks, 50_000):
        count = min(50_000, tasks - start)
        file[start : start + count] = random.normal(size=(count, WIDTH)).astype(np.float16)
    file.flush()
    mapped: Vectors = np.load(path, mmap_mode="r")
    return mapped


if __name__ == "__main__":
    main()
