"""Time and memory per task of what is done for every task of a project: from 1,000 to 1,000,000 tasks on SQLite, and
10,000,000 on PostgreSQL, whose own processor time counts, too.

Each size runs in a process of its own, so that its memory is its own. Label Studio and the encoder are left out: their
time per task does not depend on how many there are. With `--folder` a run that was ended goes on where it was.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from backend.label_studio.label_config import read_labeling_config
from backend.label_studio.predictions import is_valid, label_entry
from backend.pool import annotations as people
from backend.pool import candidates, predictions, publishing, tasks, text
from backend.pool.annotation import Annotation
from backend.pool.projects import get
from backend.projects.current import current_of
from backend.services import Services
from benchmarks.shared.postgresql import postgresql
from benchmarks.speed.retrain import MILLION, text_of
from benchmarks.speed.rows import Row, row
from benchmarks.speed.web import CONFIG, LABELS, PROJECT, pool, scratch, settings_for
from model.arrays import FloatArray
from model.labels import CandidateSet
from model.student.head import HeadStudent
from model.teacher.base import Answer, State, Usage

PAGE = 500  # tasks of one request of Label Studio, one chunk of publishing
CHUNK = 2_000  # tasks that are scored and written together
WIDTH = 384
NOTED = 200  # parts of a step between two notes of what is done
SMALL = 10_000  # the size that larger ones are compared with
STUDENT = "student-1-aaaaaa"
ANSWER = Answer(State.ANSWERED, CandidateSet(LABELS[:2], (0.6, 0.3)), "raw", Usage())


def scale_rows(sizes: list[int]) -> tuple[list[Row], dict[str, float]]:
    """Microseconds per task of every step at every size; the summary has the worst step's growth from 10,000 tasks."""
    rows: list[Row] = []
    cost: dict[int, dict[str, float]] = {}
    for size in sizes:
        found = _measured(size, "sqlite")
        cost[size] = found["seconds"]
        rows += [
            row(what, "pool", 1e6 * value / size, "us/task", tasks=size) for what, value in found["seconds"].items()
        ]
        rows.append(row("memory", "pool", found["rss_mb"], "MB", tasks=size))
        rows.append(row("disk", "pool", found["disk_mb"], "MB on disk", tasks=size))
    largest, base = max(sizes), min(SMALL, max(sizes))
    growth = {what: cost[largest][what] / largest / (cost[base][what] / base) for what in cost[largest]}
    rows += [row(f"growth of {what}", "pool", value, "ratio", tasks=largest) for what, value in growth.items()]
    return rows, {
        "scale_cost_ratio": max(growth.values()),
        "scale_rss_mb": found["rss_mb"],
        "scale_disk_mb": found["disk_mb"],
    }


def large_rows(base: int, largest: int, folder: Path) -> tuple[list[Row], dict[str, float]]:
    """The same on PostgreSQL at two sizes; the summary has what a task costs at the larger one against the smaller, all
    steps together, and of the step that grows most. `folder` has each until it is measured: run again, it goes on."""
    rows, cost = [], {}
    for size in (base, largest):
        found = _measured(size, "postgresql", folder / str(size))
        cost[size] = {what: value / size for what, value in found["seconds"].items()}
        rows += [row(what, "PostgreSQL", 1e6 * value, "us/task", tasks=size) for what, value in cost[size].items()]
        rows.append(row("memory", "PostgreSQL", found["rss_mb"], "MB", tasks=size))
        rows.append(row("disk", "PostgreSQL", found["disk_mb"], "MB on disk", tasks=size))
    folder.rmdir()
    growth = {what: cost[largest][what] / cost[base][what] for what in cost[largest]}
    rows += [row(f"growth of {what}", "PostgreSQL", value, "ratio", tasks=largest) for what, value in growth.items()]
    of = f"{largest // MILLION}m_vs_{base // 1000}k"
    whole = sum(cost[largest].values()) / sum(cost[base].values())
    return rows, {f"task_cost_{of}": whole, f"worst_step_{of}": max(growth.values())}


def _measured(size: int, database: str, folder: Path | None = None) -> dict[str, Any]:
    """What `main` finds in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.speed.scale", str(size), "--database", database]
    command += [] if folder is None else ["--folder", str(folder)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(output.splitlines()[-1]))


class Kept:
    """What a run has done so far, in a file: of every step the number of parts, and its seconds."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.steps: dict[str, tuple[int, float]] = {}
        if path is not None and path.is_file():
            self.steps = {
                name: (int(done), float(spent)) for name, (done, spent) in json.loads(path.read_text()).items()
            }

    def note(self, step: str, done: int, seconds: float) -> None:
        """So many parts of a step are done, in so many seconds."""
        self.steps[step] = (done, seconds)
        if self._path is not None:
            self._path.write_text(json.dumps(self.steps))


def measure(
    services: Services, size: int, processor: Callable[[], float] = time.process_time, kept: Kept | None = None
) -> dict[str, float]:
    """Seconds of every step for `size` tasks, by a clock of processor time, so that neighbours on the machine do not
    count; what is `kept` as done is not done again."""
    engine = services.engine
    project = get(engine, PROJECT)
    assert project is not None, "the project was connected"
    teacher = current_of(services, project).served_version
    control, student = read_labeling_config(CONFIG), _student()
    vectors = np.random.default_rng(0).normal(size=(CHUNK, WIDTH)).astype(np.float16)

    def write(ids: range) -> None:
        tasks.add(engine, PROJECT, {task: text_of(task) for task in ids})

    def answer(ids: range) -> None:
        candidates.save(engine, PROJECT, teacher, [(task, text.text_hash(text_of(task)), ANSWER) for task in ids])

    def sync(ids: range) -> None:
        given = {task: text_of(task) for task in ids}
        if tasks.texts(engine, PROJECT, list(ids)) != given:
            raise RuntimeError("the pool has other texts")
        people.save(engine, PROJECT, [_annotation(task) for task in ids if task % 20 == 0])
        people.of_tasks(engine, PROJECT, list(ids))

    def score(ids: range) -> None:
        texts = tasks.texts(engine, PROJECT, list(ids))
        best = student.of_vectors(vectors[: len(ids)].astype(np.float32)).argmax(1)
        found = [(task, text.text_hash(texts[task]), LABELS[label], 0.5) for task, label in zip(ids, best, strict=True)]
        predictions.save(engine, PROJECT, STUDENT, found)

    def publish(_: range) -> None:
        found = predictions.unpublished(engine, PROJECT, STUDENT, PAGE)
        entries = {task: label_entry(control, STUDENT, label, value) for task, label, value in found}
        if any(is_valid(control, entry, STUDENT) for entry in entries.values()):
            raise RuntimeError("wrong entries")
        json.dumps([{"task": task, **entry} for task, entry in entries.items()])
        publishing.confirm(engine, PROJECT, STUDENT, publishing.intend(engine, PROJECT, STUDENT, list(entries)))

    steps: Mapping[str, tuple[Callable[[range], None], int]] = {
        "write tasks": (write, CHUNK), "write candidate sets": (answer, CHUNK), "sync": (sync, PAGE),
        "score": (score, CHUNK), "publish": (publish, PAGE),
    }  # fmt: skip
    return _spent(steps, size, processor, kept or Kept())


def _look(services: Services) -> None:
    """RuntimeError unless every task has its answer, and Label Studio all of them."""
    lacking = publishing.unanswered(services.engine, PROJECT, STUDENT, limit=1)
    if lacking or predictions.unpublished(services.engine, PROJECT, STUDENT, 1):
        raise RuntimeError("not everything was published")


def _spent(
    steps: Mapping[str, tuple[Callable[[range], None], int]], size: int, processor: Callable[[], float], kept: Kept
) -> dict[str, float]:
    """Seconds of every step, one after the other: its function, and how many tasks it gets at once."""
    for name, (step, chunk) in steps.items():
        done, before = kept.steps.get(name, (0, 0.0))
        started, number = processor(), done
        for number, part in enumerate(itertools.islice(_ranges(size, chunk), done, None), done + 1):
            step(part)
            if number % NOTED == 0:
                kept.note(name, number, before + processor() - started)
        kept.note(name, number, before + processor() - started)
    return {name: seconds for name, (_, seconds) in kept.steps.items()}


def _ranges(size: int, chunk: int) -> Iterator[range]:
    for start in range(1, size + 1, chunk):
        yield range(start, min(start + chunk, size + 1))


def _annotation(task: int) -> Annotation:
    moment = "2026-11-21T06:00:01.000000Z"
    return Annotation(task, task, 1, (LABELS[task % len(LABELS)],), "labelled", False, moment, None, None, None)


def _student() -> HeadStudent:
    space, random = read_labeling_config(CONFIG).space, np.random.default_rng(1)
    head: dict[str, FloatArray] = {"mean": np.zeros(WIDTH, np.float32), "scale": np.ones(1, np.float32)}
    head |= {
        "hidden": random.normal(0, 0.05, (WIDTH, 256)).astype(np.float32),
        "hidden_bias": np.zeros(256, np.float32),
    }
    head |= {
        "out": random.normal(size=(256, len(space))).astype(np.float32),
        "out_bias": np.zeros(len(space), np.float32),
    }
    return HeadStudent(space, "default", [head])


def _with_server(folder: Path) -> float:
    """Processor seconds of this process and of the PostgreSQL in `folder`, those of ended connections included."""
    server = psutil.Process(int((folder / "postgresql" / "postmaster.pid").read_text().splitlines()[0]))
    members = [server, *server.children(recursive=True)]
    return time.process_time() + sum(sum(one.cpu_times()[:4]) for one in members)


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """A folder that is removed once all is measured; one with a name stays where the run is ended before."""
    if folder is None:
        with scratch() as found:
            yield found
        return
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    shutil.rmtree(folder)


def main() -> None:
    """One size in this process; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=int, help="tasks")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="where the pool is")
    parser.add_argument(
        "--folder", type=Path, help="is kept until the run has ended: run again, it goes on where it was"
    )
    given = parser.parse_args()
    gc.collect()
    gc.freeze()  # as web server and worker do
    with _place(given.folder) as folder, ExitStack() as servers:
        large = given.database == "postgresql"
        where = {"DATABASE_URL": servers.enter_context(postgresql(folder))} if large else {}
        with pool(settings_for(folder, **where)) as services:
            clock = partial(_with_server, folder) if large else time.process_time
            seconds = measure(services, given.size, clock, Kept(folder / "done.json"))
            _look(services)
        disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"seconds": seconds, "rss_mb": memory, "disk_mb": disk}))


if __name__ == "__main__":
    main()
