"""One project's work on several workers: an annotate run against a server of fixed latency, a training's texts, and a
new student's answers to a large pool."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backend.pool import candidates, jobs, ledger, publishing, tasks
from backend.pool.projects import Project
from backend.pool.projects import get as project_row
from backend.pool.text import text_hash
from backend.projects.current import current_of
from backend.services import Services
from backend.settings import Settings
from benchmarks.shared.waiting import wait_for
from benchmarks.speed.retrain import fill
from benchmarks.speed.rows import Row, row
from benchmarks.speed.slow_llm import slow_llm
from benchmarks.speed.web import LABELS, PROJECT, Process, environment_of, pool, redis_server, scratch, settings_for
from model.labels import CandidateSet
from model.teacher.base import Answer, State, Usage

CONCURRENCY = 16  # questions under way per worker
ASKED, ENCODED, ANSWERED = 2_400, 16_000, 300_000  # tasks
WORKERS = (1, 2, 4)
CORES = (1, 2)
PATIENCE_SECONDS = 900


def workers_rows() -> tuple[list[Row], dict[str, float]]:
    """Seconds for one annotate run with 1, 2 and 4 workers, and with 1 and 2 for one training's texts, and for the
    answers of a new student to what its training has not read."""
    asked = {number: _asking(number) for number in WORKERS}
    encoded = {number: _encoding(number) for number in CORES}
    answered = {number: _answering(number) for number in CORES}
    rows = [row("annotate run", f"{number} workers", value, "s", tasks=ASKED) for number, value in asked.items()]
    rows += [row("training from nothing", f"{number} workers", value, "s", tasks=ENCODED)
             for number, value in encoded.items()]  # fmt: skip
    rows += [row("answers of a new student", f"{number} workers", value, "s", tasks=ANSWERED)
             for number, value in answered.items()]  # fmt: skip
    return rows, {"workers_4_vs_1": asked[1] / asked[4], "workers_2_vs_1": asked[1] / asked[2],
                  "encoding_2_vs_1": encoded[1] / encoded[2],
                  "answering_2_vs_1": answered[1] / answered[2]}  # fmt: skip


def _asking(number: int) -> float:
    """Seconds from asking for the job until every task has its answer; each was asked about once."""
    with slow_llm(LABELS[0]) as server:
        more = {"TEACHER": "openai:tiny-1", "OPENAI_BASE_URL": server.url,
                "OPENAI_API_KEY": "sk-test", "TEACHER_PRICE": "1,2", "BUDGET_USD": "1000", "EXAMPLES": "none",
                "LLM_CONCURRENCY": str(CONCURRENCY), "RETRAIN_AFTER": "0"}  # fmt: skip
        with _stack(number, "teacher", more) as services:
            tasks.add(services.engine, PROJECT, {task: f"message {task}" for task in range(1, ASKED + 1)})
            ledger.set_cap(services.engine, PROJECT, 10**9)
            version = current_of(services, _project(services)).teacher_version

            def done() -> bool:
                return candidates.figures(services.engine, PROJECT, version).count >= ASKED

            seconds = _timed(services, "annotate", done)
        if server.answered != ASKED:
            raise RuntimeError(f"{server.answered} questions for {ASKED} tasks")
    return seconds


def _encoding(number: int) -> float:
    """Seconds of a training, without LLM and without a single vector in the cache."""
    with _stack(number, "train", {"TEACHER": "similarity", "RETRAIN_AFTER": "0"}) as services:
        texts = {
            task: f"message {task}: {'please look into my order ' * (1 + task % 5)}" for task in range(1, ENCODED + 1)
        }
        tasks.add(services.engine, PROJECT, texts)
        _answer(services, texts)
        return _timed(services, "train", lambda: jobs.get(services.engine, PROJECT)["train"].state == "idle")


def _answering(number: int) -> float:
    """Seconds from the end of a training, of a pool whose vectors are known, until its student has answered all."""
    with _stack(number, "publish train", {"TEACHER": "similarity", "RETRAIN_AFTER": "0"}) as services:
        fill(services, ANSWERED)

        def at_rest(kind: str) -> bool:
            row = jobs.get(services.engine, PROJECT).get(kind)
            return row is not None and row.state == "idle" and not row.again

        services.queue.enqueue("train", PROJECT)
        wait_for("the training", lambda: at_rest("train"), PATIENCE_SECONDS, 0.1)
        started = time.monotonic()
        wait_for("its student's answers", lambda: at_rest("publish"), PATIENCE_SECONDS, 0.1)
        seconds = time.monotonic() - started
        version = current_of(services, _project(services)).served_version
        if publishing.unanswered(services.engine, PROJECT, version, limit=1):
            raise RuntimeError("there are tasks without an answer")
    return seconds


def _answer(services: Services, texts: dict[int, str]) -> None:
    version = current_of(services, _project(services)).teacher_version
    rows = [
        (task, text_hash(text), Answer(State.ANSWERED, CandidateSet((LABELS[task % len(LABELS)],)), "raw", Usage()))
        for task, text in texts.items()
    ]
    candidates.save(services.engine, PROJECT, version, rows)


def _timed(services: Services, kind: str, done: Callable[[], bool]) -> float:
    started = time.monotonic()
    services.queue.enqueue(kind, PROJECT)
    wait_for(f"the end of {kind}", done, PATIENCE_SECONDS, 0.1)
    return time.monotonic() - started


def _project(services: Services) -> Project:
    found = project_row(services.engine, PROJECT)
    assert found is not None, "the project was connected"
    return found


@contextmanager
def _stack(number: int, queue: str, more: dict[str, str]) -> Iterator[Services]:
    """A pool, a Redis, and so many workers of one queue that wait for work."""
    with scratch() as folder, redis_server(folder) as redis_url, ExitStack() as workers:
        settings = settings_for(folder, redis_url, **more)
        with pool(settings) as services:
            services.queue.cancel("annotate", PROJECT)
            for place in range(number):
                workers.callback(_worker(settings, queue, more, folder, place).stop)
            wait_for(
                "idle workers",
                lambda: services.queue.idle("annotate" if queue == "teacher" else "train") == number,
                120,
            )
            loaded = [folder / f"worker-{place}.log" for place in range(number)]
            wait_for("their libraries", lambda: all("libraries loaded" in log.read_text() for log in loaded), 120)
            yield services


def _worker(settings: Settings, queue: str, more: dict[str, str], folder: Path, place: int) -> Process:
    command = [sys.executable, "-m", "backend", "worker", *queue.split()]
    return Process(command, environment_of(settings, **more), folder / f"worker-{place}.log")
