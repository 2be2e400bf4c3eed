"""From the deciding annotation to the new student, and how the web server answers while that student is trained.

A real web server, worker and Redis on a pool whose embeddings are cached (vectors drawn around one centre per label,
so that there is something to learn). Label Studio is left out: see `first_day` for the way with it.
"""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import numpy as np

from backend.pool import candidates, tasks
from backend.pool.database.engine import open_engine
from backend.pool.projects import get as project_row
from backend.pool.text import text_hash
from backend.projects.current import current_of
from backend.services import Services
from backend.settings import Settings
from backend.training.runtime_check import CHECKED
from backend.training.snapshot import PART
from benchmarks.shared.waiting import wait_for
from benchmarks.speed.rows import Row, percentile, row
from benchmarks.speed.steps import step_rows
from benchmarks.speed.web import (
    HOST,
    LABELS,
    PROJECT,
    Client,
    Process,
    await_rest,
    environment_of,
    pool,
    predict_body,
    redis_server,
    scratch,
    settings_for,
    setup_body,
    web_server,
    worker,
)
from model.encoder.embeddings import EmbeddingCache, key_of
from model.encoder.runtimes import preferred, sleeping
from model.labels import CandidateSet
from model.teacher.base import Answer, State, Usage

DECIDING = 20  # human labels that start a training, the default of RETRAIN_AFTER
EVENTS_PER_SECOND = 200
SENDERS = 8  # connections that share them, as Label Studio's threads do
PATIENCE_SECONDS, MOST_PATIENCE_SECONDS = 600, 3600
ASKED = 2_000  # tasks of the largest request
FURTHER = 2  # retrainings of the largest pool after the first one, which begins anew
MILLION = 1_000_000
WIDTH = 384  # dimensions of the bundled encoder


@dataclass
class Stack:
    """What is measured."""

    settings: Settings
    web: Process
    worker: Process
    port: int
    tasks: int
    labels: Iterator[int]  # annotation ids


def retrain_rows(sizes: list[int], rounds: int) -> tuple[list[Row], dict[str, float]]:
    """Seconds from the last of 20 annotations to /setup naming a student that learned from it, and its steps."""
    rows: list[Row] = []
    summary: dict[str, float] = {}
    for number in sizes:
        with stack(number) as parts:
            seconds, cpu = [], []
            for turn in range(rounds):
                before = parts.worker.cpu_seconds()
                seconds.append(_stepwise(parts, turn, rows))
                cpu.append(parts.worker.cpu_seconds() - before)
        rows += [row("retrain", f"{number} tasks", value, "s", turn) for turn, value in enumerate(seconds)]
        rows += [row("retrain processor", f"{number} tasks", value, "s", turn) for turn, value in enumerate(cpu)]
        summary[f"retrain_{number}_s"] = float(np.median(seconds[1:] or seconds))  # the first one loads everything
    if "retrain_10000_s" in summary:
        summary["retrain_seconds_10k"] = summary["retrain_10000_s"]
    return rows, summary


def latency_rows(number: int, seconds: float) -> tuple[list[Row], dict[str, float]]:
    """Webhooks at 200 a second and /setup ten times a second, while trainings follow each other on the same cores."""
    with stack(number) as parts:
        retrain(parts)
        await_rest(parts.web)
        stop = Event()
        found: dict[str, list[float]] = {"webhook": [], "setup": []}
        each = EVENTS_PER_SECOND / SENDERS
        threads = [Thread(target=_send, args=(parts, found["webhook"], stop, each)) for _ in range(SENDERS)]
        threads.append(Thread(target=_ask, args=(parts, found["setup"], stop, 10)))
        for thread in threads:
            thread.start()
        trained = _watch(parts, seconds)
        stop.set()
        for thread in threads:
            thread.join()
    rows = [row(name, f"p{share * 100:g}", 1000 * percentile(values, share), "ms", requests=len(values))
            for name, values in found.items() for share in (0.5, 0.95, 0.99, 1.0)]  # fmt: skip
    rows.append(row("share of time with a training", "stack", trained, "share"))
    summary = {f"{name}_p99_ms": 1000 * percentile(values, 0.99) for name, values in found.items()}
    return rows, summary | {"events_per_second": len(found["webhook"]) / seconds}


def memory_rows(number: int) -> tuple[list[Row], dict[str, float]]:
    """Largest memory of the web process, while it answers for 2,000 tasks at a time, and of a worker that trains; what
    these trainings do with their time."""
    with stack(number) as parts:
        peaks, stop, rows = {"web": 0.0, "worker": 0.0}, Event(), list[Row]()
        thread = Thread(target=_watch_memory, args=(parts, peaks, stop))
        thread.start()
        first, *further = (_with_processor(parts, turn, rows) for turn in range(1 + FURTHER))
        client = Client(parts.port)
        for start in range(1, min(number, 20_000), ASKED):
            client.post("/predict", predict_body({task: text_of(task) for task in range(start, start + ASKED)}))
        stop.set()
        thread.join()
    rows += [row(f"{name} memory", "stack", value, "MB", tasks=number) for name, value in peaks.items()]
    rows.append(row("retrain", f"{number} tasks, the first", first, "s"))
    rows += [row("retrain", f"{number} tasks", value, "s", turn) for turn, value in enumerate(further, 1)]
    found = {"web_rss_mb": peaks["web"], "worker_rss_mb": peaks["worker"]}
    return rows, found | ({"retrain_seconds_1m": float(np.median(further))} if number == MILLION else {})


def _with_processor(parts: Stack, turn: int, rows: list[Row]) -> float:
    """Seconds of a retraining; `rows` get what its worker used of the processor until then, too."""
    before = parts.worker.cpu_seconds()
    seconds = _stepwise(parts, turn, rows)
    used = parts.worker.cpu_seconds() - before
    rows.append(row("retrain processor", f"{parts.tasks} tasks", used, "s", turn))
    return seconds


def _stepwise(parts: Stack, turn: int, rows: list[Row]) -> float:
    """Seconds of a retraining, whose steps go to `rows`."""
    seconds = retrain(parts, MOST_PATIENCE_SECONDS)
    rows += step_rows(parts.worker.log.read_text(), time.time() - seconds, turn, parts.tasks)
    return seconds


def _watch_memory(parts: Stack, peaks: dict[str, float], stop: Event) -> None:
    while not stop.wait(0.3):
        peaks["web"] = max(peaks["web"], parts.web.rss_mb())
        peaks["worker"] = max(peaks["worker"], parts.worker.rss_mb())


@contextmanager
def stack(number: int) -> Iterator[Stack]:
    """Redis, web server and a worker, which has imported what jobs need, on a filled pool."""
    with scratch() as folder, redis_server(folder) as redis_url:
        settings = settings_for(folder, redis_url, TEACHER="similarity", RETRAIN_AFTER=DECIDING, RETRAIN_IDLE_SECONDS=0)
        with pool(settings) as services:
            fill(services, number)
        environment = environment_of(settings)
        with (
            web_server("backend.web.wsgi:app", environment, folder) as (web, port),
            worker(environment, folder) as jobs,
        ):
            wait_for("its libraries", lambda: "libraries loaded" in jobs.log.read_text(), PATIENCE_SECONDS)
            yield Stack(settings, web, jobs, port, number, itertools.count(1))


def fill(services: Services, number: int, chunk: int = 10_000) -> None:
    """Tasks with candidate sets of the present teacher, and their embeddings in the cache."""
    project = project_row(services.engine, PROJECT)
    assert project is not None, "the project was connected"
    folder = services.settings.cache_dir
    used, exact = (EmbeddingCache(folder, sleeping("default", way, folder)) for way in (preferred(), "float32"))
    share = 4 * CHECKED / min(number, PART)  # of a training's texts, by hash, hold those on which the ways are compared
    random, version = np.random.default_rng(0), current_of(services, project).served_version
    centres = random.normal(size=(len(LABELS), WIDTH)).astype(np.float32)
    for start in range(1, number + 1, chunk):
        ids = range(start, min(start + chunk, number + 1))
        texts = {task: text_of(task) for task in ids}
        truth = np.array([task % len(LABELS) for task in ids])
        noise = random.normal(size=(len(ids), WIDTH)).astype(np.float32)
        vectors = centres[truth] + 3 * noise
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        keys = [key_of(text) for text in texts.values()]
        used._store(keys, vectors.astype(np.float16))
        first = [row for row, key in enumerate(keys) if int.from_bytes(key[:8]) < share * 2**64]
        if first:
            exact._store([keys[row] for row in first], vectors[first].astype(np.float16))
        tasks.add(services.engine, PROJECT, texts)
        other = random.integers(len(LABELS), size=len(ids))
        rows = [(task, text_hash(texts[task]), _answer(int(true), int(wrong)))
                for task, true, wrong in zip(ids, truth, other, strict=True)]  # fmt: skip
        candidates.save(services.engine, PROJECT, version, rows)


def text_of(task: int) -> str:
    """The text of a task, as long as a short message."""
    return f"message {task}: please look into my order and tell me what can be done about it before the weekend"


def retrain(parts: Stack, patience_seconds: float = PATIENCE_SECONDS) -> float:
    """Send the annotations that start a training; seconds from the last one to a version that knows it."""
    client = Client(parts.port)
    before = _version(client)
    for _ in range(DECIDING):
        client.post("/webhook", _event(parts, next(parts.labels)))
    sent = time.monotonic()
    while _version(client) == before:
        if time.monotonic() > sent + patience_seconds or not parts.worker.alive():
            raise RuntimeError(f"no new student: {parts.worker.log.read_text()[-3000:]}")
        time.sleep(0.05)
    client.close()
    return time.monotonic() - sent


def _version(client: Client) -> str:
    return str(json.loads(client.post("/setup", setup_body()))["model_version"])


def _answer(true: int, other: int) -> Answer:
    labels = tuple(dict.fromkeys((LABELS[true], LABELS[other])))
    return Answer(State.ANSWERED, CandidateSet(labels), "raw", Usage())


def _event(parts: Stack, number: int) -> bytes:
    """An ANNOTATION_CREATED for the next task, with the label that belongs to it."""
    task = number % parts.tasks + 1
    value = {"choices": [LABELS[task % len(LABELS)]]}
    region = {"id": "x", "from_name": "label", "to_name": "text", "type": "choices", "value": value, "origin": "manual"}
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{number % 1_000_000:06d}Z"
    annotation = {"id": number, "task": task, "project": PROJECT, "completed_by": 1, "was_cancelled": False,
                  "ground_truth": False, "result": [region], "prediction": {}, "created_at": moment,
                  "updated_at": moment}  # fmt: skip
    of = {"task": {"id": task, "data": {"text": text_of(task)}}, "project": {"id": PROJECT, "title": "speed"}}
    return json.dumps({"action": "ANNOTATION_CREATED", "annotation": annotation, **of}).encode()


def _send(parts: Stack, found: list[float], stop: Event, per_second: float) -> None:
    client, started = Client(parts.port), time.monotonic()
    for turn in itertools.count():
        if stop.wait(max(0.0, started + turn / per_second - time.monotonic())):
            return
        found.append(_timed(client, "/webhook", _event(parts, next(parts.labels))))


def _ask(parts: Stack, found: list[float], stop: Event, per_second: int) -> None:
    client = Client(parts.port)
    while not stop.wait(1 / per_second):
        found.append(_timed(client, "/setup", setup_body()))


def _timed(client: Client, path: str, body: bytes) -> float:
    started = time.perf_counter()
    try:
        client.post(path, body)
    except (http.client.HTTPException, OSError) as error:
        raise RuntimeError(f"{path} at {HOST} failed: {error}") from error
    return time.perf_counter() - started


def _watch(parts: Stack, seconds: float) -> float:
    """Share of time in which a training ran."""
    from backend.pool import jobs

    engine = open_engine(parts.settings.database_url)
    busy, end, looks = 0, time.monotonic() + seconds, 0
    while time.monotonic() < end:
        train = jobs.get(engine, PROJECT).get("train")
        busy += train is not None and train.state == "running"
        looks += 1
        time.sleep(0.2)
    engine.dispose()
    return busy / looks
