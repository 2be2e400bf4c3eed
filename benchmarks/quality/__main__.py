"""How good is the student? All methods on all data sets with stored teacher answers, several seeds.

    python -m benchmarks.quality --data DIR --out FILE.json [--seeds 3] [--quick] [--only PART] [--no-curves]

Resumable: what FILE.json already holds is not measured again. Beside it FILE.md (tables), FILE.svg (learning curves)
and FILE-gains.svg are written. Embeddings are cached outside the repository (--cache).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

from benchmarks.quality.overhead import overhead_rows
from benchmarks.quality.report import summary, write_report
from benchmarks.quality.run import ADAPTED, CHOSEN, SINGLES, TABLE, Material, Task, measure
from benchmarks.shared.datasets import Job, cut, similarity_job, similarity_sets, stored_jobs
from model.arrays import Embed
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.training.adaptation import LEAST_LABELS
from model.training.options import TrainingOptions

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
COUNTS = (50.0,)
QUICK_ROWS = 800
QUICK_JOBS = ("emotion", "flute", "raop", "trec", "csabstruct")


def main() -> None:
    """Measure, then write the tables."""
    given = arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    embed = EmbeddingCache(given.cache, load_encoder(given.encoder, given.threads)).embed
    rows = read(given.out)
    done = {key(row) for row in rows}
    options = TrainingOptions(threads=given.threads, encoder=given.encoder, way="head", epochs=given.epochs)
    started = time.monotonic()
    for job in chosen_jobs(given, embed):
        material: Material | None = None
        for task in tasks(job, given):
            if given.methods and task.method not in given.methods:
                continue
            if (job.dataset, job.teacher, task.method, task.seed, task.human) in done:
                continue
            material = material or Material(job, embed)
            row = measure(material, task, options)
            rows.append(row)
            write(given.out, rows)
            say(row, time.monotonic() - started)
    if not any(row["method"] == "overhead" for row in rows):
        rows += overhead_rows(options)
        write(given.out, rows)
    write_report(given.out, rows)
    print(json.dumps(summary(rows), indent=1))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Quality of all training methods over a data folder")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=None, help="default 3; 1 with --quick")
    parser.add_argument("--curve-seeds", type=int, default=None, help="default: as --seeds")
    parser.add_argument("--quick", action="store_true", help="five sets of at most 800 rows, fewer curve points")
    parser.add_argument("--only", default="", help="only jobs whose teacher/dataset contains this")
    parser.add_argument("--methods", nargs="+", default=None, help="only these methods")
    parser.add_argument("--points", nargs="+", type=float, default=None, help="human labels: shares, counts above 1")
    parser.add_argument(
        "--adapted", nargs="*", type=float, default=[0.05], help="points with an adapted encoder: minutes"
    )
    parser.add_argument(
        "--chosen", nargs="*", type=float, default=[0.05, *COUNTS], help="points with labels by acquisition order"
    )
    parser.add_argument("--no-curves", action="store_true", help="without human labels")
    parser.add_argument("--epochs", type=int, default=None, help="default: as the product trains")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--cache", type=Path, default=default_cache())
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"--data {given.data}: there is no such folder")
    if given.quick:
        given.adapted = given.chosen = []
    given.seeds = given.seeds or (1 if given.quick else 3)
    given.curve_seeds = given.curve_seeds or given.seeds
    given.out.parent.mkdir(parents=True, exist_ok=True)
    return given


def default_cache() -> Path:
    """Where embeddings are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shortlist" / "embeddings"


def chosen_jobs(given: argparse.Namespace, embed: Embed) -> Iterator[Job]:
    """Stored teachers first, then the offline similarity teacher; with `--quick` five of them, cut.

    SystemExit names the folder if there is nothing to measure in it.
    """
    stored = [job for job in stored_jobs(given.data) if given.only in job.name]
    alone = [name for name in similarity_sets(given.data) if given.only in f"similarity/{name}"]
    if not stored and not alone:
        sys.exit(f"--data {given.data}: no set or teacher's answers there have {given.only!r} in their name")
    if not given.quick:
        yield from stored
        yield from (similarity_job(given.data, name, embed) for name in alone)
        return
    known = [job for job in stored if job.dataset in QUICK_JOBS] or stored[: len(QUICK_JOBS)]
    for job in known or (similarity_job(given.data, name, embed) for name in alone[: len(QUICK_JOBS)]):
        yield cut(job, QUICK_ROWS)


def tasks(job: Job, given: argparse.Namespace) -> Iterator[Task]:
    """What is measured on a job: every method without people, then learning curves."""
    differs = job.train.singles != tuple(one.top if one else "" for one in job.train.answers)
    methods = (*TABLE, *SINGLES) if differs else TABLE
    for seed in range(given.seeds):
        for method in methods:
            if seed == 0 or not method.startswith("teacher"):
                yield Task(job.name, method, seed)
    if given.no_curves:
        return
    points = given.points or ((0.05, 0.2, *COUNTS) if given.quick else (*SHARES, *COUNTS))
    for seed in range(given.curve_seeds):
        for human in points:
            labels = human if human > 1 else human * len(job.train)
            if 8 <= labels <= 0.8 * len(job.train):
                yield Task(job.name, "shortlist", seed, human)
                yield Task(job.name, "supervised", seed, human)
                if human in given.chosen:
                    yield from (Task(job.name, method, seed, human) for method in CHOSEN)
            if human in given.adapted and labels >= LEAST_LABELS:
                yield Task(job.name, ADAPTED, seed, human)


def key(row: dict[str, Any]) -> tuple[str, str, str, int, float]:
    """What makes two rows the same measurement."""
    return (row["dataset"], row["teacher"], row["method"], int(row["seed"]), float(row.get("human", 0.0)))


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of an earlier run; none if there was none."""
    return list(json.loads(path.read_text())["rows"]) if path.exists() else []


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Replace the file by one rename, so that a killed run leaves it whole."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"rows": rows, "summary": summary(rows)}, indent=1, allow_nan=False))
    temporary.replace(path)


def say(row: dict[str, Any], seconds: float) -> None:
    """One line of progress."""
    figures = " / ".join(
        "-" if row[name] is None else f"{row[name]:.1f}" for name in ("train_accuracy", "test_accuracy")
    )
    human = f" {row['human_labels']} human" if row.get("human_labels") else ""
    print(
        f"{seconds:7.0f} s  {row['teacher']}/{row['dataset']} {row['method']} seed {row['seed']}{human}: {figures}",
        flush=True,
    )


if __name__ == "__main__":
    main()
