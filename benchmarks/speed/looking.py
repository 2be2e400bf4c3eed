"""What looking costs: a project's status by its number of tasks, the metrics of 100 projects, and an idle installation.

The web server and the worker are real ones; tasks, shortlists and people's labels are written into the pool beforehand.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from backend.pool import annotations as people
from backend.pool import candidates, rest, tasks, text
from backend.pool.annotation import Annotation
from backend.pool.projects import get
from backend.projects.current import current_of
from backend.projects.updates import remember
from backend.services import Services
from backend.settings import Settings
from benchmarks.speed.retrain import text_of
from benchmarks.speed.rows import Row, row
from benchmarks.speed.scale import ANSWER, CHUNK
from benchmarks.speed.web import (
    CONFIG,
    CREATED,
    HOST,
    LABELS,
    PROJECT,
    await_rest,
    environment_of,
    pool,
    redis_server,
    scratch,
    settings_for,
    web_server,
    worker,
)

DECIDED = 5_000  # tasks that people labelled, whatever the number of tasks
PROJECTS = 100
LOOKS = 30
PATIENCE_SECONDS = 600
MOMENT = "2026-11-21T06:00:{:02d}.000000Z"


def looking_rows(sizes: list[int]) -> tuple[list[Row], dict[str, float]]:
    """Milliseconds of a status at every size: of the first look, of further ones, and right after a label came; then
    those of `/metrics` with 100 projects, and the share of a core that idle servers use while each is looked at."""
    rows: list[Row] = []
    for size in sizes:
        found = _of_size(size)
        rows += [row(f"status, {what}", "shortlist", value, "ms", tasks=size) for what, value in found.items()]
    by_size = {one["tasks"]: one["value"] for one in rows if one["what"] == "status, further looks"}
    metrics, idle = _of_many(rest.LOOK_MS / 1000)
    rows.append(row("metrics of 100 projects", "shortlist", metrics, "ms"))
    rows.append(row("idle, 100 projects", "shortlist", idle, "% of a core"))
    largest, base = max(sizes), min(sizes)
    return rows, {
        "status_ms_1m": by_size[largest],
        "status_growth": by_size[largest] / by_size[base],
        "metrics_ms_100_projects": metrics,
        "idle_core_percent": idle,
    }


def _of_size(size: int) -> dict[str, float]:
    with scratch() as folder, _serving(folder) as (_, services, port):
        fill(services, PROJECT, size)
        look = f"/projects/{PROJECT}.json"
        first = _milliseconds(port, look)
        further = median(_milliseconds(port, look) for _ in range(LOOKS))
        changed = []
        for second in range(5):
            people.save(services.engine, PROJECT, [_label(second + 1, MOMENT.format(30 + second))])
            changed.append(_milliseconds(port, look))
        return {"first look": first, "further looks": further, "after a label": median(changed)}


def _of_many(seconds: float) -> tuple[float, float]:
    """Median milliseconds of /metrics, and the percentage of a core that web server and worker use while idle."""
    with scratch() as folder, _serving(folder) as (settings, services, port):
        for project in range(PROJECT, PROJECT + PROJECTS):
            remember(services, project, CREATED, CONFIG, title=f"project {project}")
            fill(services, project, 1_000, decided=50)
        _milliseconds(port, "/metrics")
        metrics = median(_milliseconds(port, "/metrics") for _ in range(LOOKS))
        with worker(environment_of(settings), folder) as process:
            await_rest(process)
            _await_looks(services)
            before, started = process.cpu_seconds(), time.monotonic()
            time.sleep(seconds)
            return metrics, 100 * (process.cpu_seconds() - before) / (time.monotonic() - started)


def _await_looks(services: Services) -> None:
    """Until every job that connecting asked for has ended and every project was found to lack nothing."""
    end = time.monotonic() + PATIENCE_SECONDS
    while rest.restless(services.engine, services.clock()):
        if time.monotonic() > end:
            raise RuntimeError("the worker does not come to rest")
        time.sleep(1)


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[Settings, Services, int]]:
    with redis_server(folder) as redis:
        settings = settings_for(folder, redis, RETRAIN_AFTER=0)
        with (
            pool(settings) as services,
            web_server("backend.web.wsgi:app", environment_of(settings), folder) as (process, port),
        ):
            await_rest(process)
            yield settings, services, port


def fill(services: Services, project: int, size: int, decided: int = DECIDED) -> None:
    """Tasks, a shortlist for each, and a person's label for the first `decided` of them."""
    row_here = get(services.engine, project)
    assert row_here is not None, "the project was connected"
    teacher = current_of(services, row_here).teacher_version
    for start in range(1, size + 1, CHUNK):
        texts = {task: text_of(task) for task in range(start, min(start + CHUNK, size + 1))}
        tasks.add(services.engine, project, texts)
        answers = [(task, text.text_hash(words), ANSWER) for task, words in texts.items()]
        candidates.save(services.engine, project, teacher, answers)
    found = [_label(task, MOMENT.format(task % 30)) for task in range(1, min(decided, size) + 1)]
    people.save(services.engine, project, found)


def _label(task: int, moment: str) -> Annotation:
    chosen = LABELS[(task + int(moment[17:19])) % len(LABELS)]
    return Annotation(task, task, 1, (chosen,), "labelled", False, moment, None, None, None)


def _milliseconds(port: int, path: str) -> float:
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    started = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    spent = time.perf_counter() - started
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    return 1000 * spent
