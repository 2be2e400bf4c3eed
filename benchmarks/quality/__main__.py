"""How good is the student? All methods on all data sets with stored teacher answers, several seeds.

    python -m benchmarks.quality --data DIR --out FILE.json [--seeds 3] [--quick] [--only PART] [--no-curves]

Resumable: what FILE.json already holds is not measured again. Beside it FILE.md (tables), FILE.svg (learning curves)
and FILE-gains.svg are written. Embeddings are cached outside the repository (--cache).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

from benchmarks.quality.jobs import STORED, chosen_jobs
from benchmarks.quality.overhead import overhead_rows
from benchmarks.quality.report import summary, write_report
from benchmarks.quality.run import (
    ADAPTED,
    CHOSEN,
    PANEL,
    PEOPLE,
    PUBLISHED,
    SETFIT,
    SINGLES,
    TABLE,
    Material,
    Task,
    measure,
)
from benchmarks.shared.datasets import Job, named
from benchmarks.shared.folders import must_exist
from benchmarks.shared.uneven import VARIANTS
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.training.adaptation import LEAST_LABELS
from model.training.options import TrainingOptions

POINTS = (10.0, 20.0, 50.0, 100.0, 300.0)
QUICK_POINTS = (0.05, 0.2, 50.0)
CHOSEN_POINTS = (50.0,)
LEAST_PEOPLE = 8  # labels of a point
UNSEEDED = ("teacher", "teacher-single", "commonest", "dawid-skene")  # always the same


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
            if (job.dataset, job.teacher, job.variant, task.method, task.seed, task.human) in done:
                continue
            material = material or Material(job, embed)
            row = measure(material, task, options)
            rows.append(row)
            write(given.out, rows)
            say(row, time.monotonic() - started)
    if not any(row["method"] == "overhead" for row in rows):
        rows += overhead_rows(options)
    write(given.out, rows, whole=True)
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
    parser.add_argument(
        "--only", "--jobs", nargs="+", default=[], help="only jobs (teacher/set+variant) that contain one of these"
    )
    parser.add_argument(
        "--variants", nargs="+", default=[STORED, *VARIANTS], choices=[STORED, *VARIANTS],
        help="the pools as stored, and what is made of them (benchmarks/shared/uneven.py)",
    )  # fmt: skip
    parser.add_argument("--rows", type=int, default=None, help="at most so many rows of a pool, and new texts")
    parser.add_argument("--methods", nargs="+", default=None, help="only these methods")
    parser.add_argument("--points", nargs="+", type=float, default=None, help="human labels: shares, counts above 1")
    parser.add_argument("--adapted", nargs="*", type=float, default=[], help="points with an adapted encoder: minutes")
    parser.add_argument("--setfit", nargs="*", type=float, default=[], help="points with SetFit, a rival: minutes")
    parser.add_argument(
        "--chosen", nargs="*", type=float, default=CHOSEN_POINTS, help="points with labels by acquisition order"
    )
    parser.add_argument("--no-curves", action="store_true", help="without human labels")
    parser.add_argument("--epochs", type=int, default=None, help="default: as the product trains")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--cache", type=Path, default=default_cache())
    given = parser.parse_args()
    must_exist(given.data)
    if given.quick:
        given.adapted = given.chosen = []
    given.seeds = given.seeds or (1 if given.quick else 3)
    given.curve_seeds = given.curve_seeds or given.seeds
    given.out.parent.mkdir(parents=True, exist_ok=True)
    return given


def default_cache() -> Path:
    """Where embeddings are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shortlist" / "embeddings"


def tasks(job: Job, given: argparse.Namespace) -> Iterator[Task]:
    """What is measured on a job: every method without people, then with people's labels."""
    differs = job.train.singles != tuple(one.top if one else "" for one in job.train.answers)
    methods = [*TABLE, *(() if job.variant else PUBLISHED), *(SINGLES if differs else ())]
    methods += PANEL if job.train.votes and job.test.votes else ()
    for seed in range(given.seeds):
        for method in methods:
            if seed == 0 or method not in UNSEEDED:
                yield Task(job.name, method, seed)
    if given.no_curves:
        return
    for seed in range(given.curve_seeds):
        for human in given.points or (QUICK_POINTS if given.quick else POINTS):
            labels = human if human > 1 else human * len(job.train)
            if LEAST_PEOPLE <= labels <= 0.8 * len(job.train):
                yield from (Task(job.name, method, seed, human) for method in PEOPLE)
                if human in given.setfit:
                    yield Task(job.name, SETFIT, seed, human)
                if human in given.chosen:
                    yield from (Task(job.name, method, seed, human) for method in CHOSEN)
            if human in given.adapted and labels >= LEAST_LABELS:
                yield Task(job.name, ADAPTED, seed, human)


def key(row: dict[str, Any]) -> tuple[str, str, str, str, int, float]:
    """What makes two rows the same measurement."""
    named = (row["dataset"], row["teacher"], row.get("variant", ""), row["method"])
    return (*named, int(row["seed"]), float(row.get("human", 0.0)))


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of an earlier run; none if there was none."""
    return list(json.loads(path.read_text())["rows"]) if path.exists() else []


def write(path: Path, rows: list[dict[str, Any]], whole: bool = False) -> None:
    """Replace the file by one rename, so that a killed run leaves it whole; with the summary once all is measured."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"rows": rows} | ({"summary": summary(rows)} if whole else {}), allow_nan=False))
    temporary.replace(path)


def say(row: dict[str, Any], seconds: float) -> None:
    """One line of progress."""
    figures = " / ".join(
        "-" if row[name] is None else f"{row[name]:.1f}" for name in ("train_accuracy", "test_accuracy")
    )
    human = f" {row['human_labels']} human" if row.get("human_labels") else ""
    job = named(row["teacher"], row["dataset"], row["variant"])
    print(
        f"{seconds:7.0f} s  {job} {row['method']} seed {row['seed']}{human}: {figures}",
        flush=True,
    )


if __name__ == "__main__":
    main()
