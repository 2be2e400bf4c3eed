"""Requests per second of /predict and /setup with cached answers, against bare Flask under the same server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

from backend.pool import predictions, projects, tasks, versions
from backend.pool.text import text_hash
from backend.pool.version_names import trained_name
from backend.services import Services
from benchmarks.speed.rows import Row, interleaved, ratio, row
from benchmarks.speed.web import (
    LABELS,
    PROJECT,
    Client,
    Process,
    await_rest,
    environment_of,
    pool,
    predict_body,
    scratch,
    settings_for,
    setup_body,
    web_server,
)

TEXT = "I was charged twice for my subscription this month, please look into it and tell me when the money is back"
TASKS = 100


def http_rows(rounds: int, requests: int) -> tuple[list[Row], dict[str, float]]:
    """Rows and the summary's `predict_1` and `predict_100` (and `setup` beside them)."""
    with scratch() as folder:
        settings = settings_for(folder)
        with pool(settings) as services:
            version = filled(services)
        echo = {"ECHO_VERSION": version, "ECHO_ENTRY": json.dumps(_entry(version))}
        environment = environment_of(settings)
        with (
            web_server("backend.web.wsgi:app", environment, folder) as ours,
            web_server("benchmarks.speed.echo:app", environment | echo, folder) as bare,
        ):
            await_rest(ours[0])
            rows, summary = _measure({"shortlist": Side(*ours), "flask": Side(*bare)}, rounds, requests)
            starts = {name: process.ready_seconds for name, (process, _) in {"shortlist": ours, "flask": bare}.items()}
            rows += [row("start to /health", name, value, "s") for name, value in starts.items()]
            return rows, summary | {"health_s": starts["shortlist"]}


def filled(services: Services, number: int = TASKS) -> str:
    """Give the pool tasks and a promoted student's predictions for them; the version."""
    engine = services.engine
    project = projects.get(engine, PROJECT)
    assert project is not None, "the project was connected"
    version = trained_name("student", 1, project.space_hash)
    texts = {task: f"{TEXT} {task}" for task in range(1, number + 1)}
    tasks.add(engine, PROJECT, texts)
    versions.add(engine, PROJECT, version, 1, project.space_hash, {}, 0)
    rows = [(task, text_hash(text), LABELS[task % len(LABELS)], 0.75) for task, text in texts.items()]
    predictions.save(engine, PROJECT, version, rows)
    projects.promote(engine, PROJECT, version)
    return version


@dataclass(frozen=True)
class Ask:
    """One kind of request, and how many of them make one measurement."""

    path: str
    body: bytes
    number: int


class Side:
    """One of the two servers."""

    def __init__(self, process: Process, port: int) -> None:
        self._process, self._client = process, Client(port)
        self.cpu_ms: list[float] = []  # processor time per request, one value per measurement

    def answer(self, ask: Ask) -> object:
        """What it answers."""
        return json.loads(self._client.post(ask.path, ask.body))

    def rate(self, ask: Ask) -> float:
        """Requests per second."""
        before = self._process.cpu_seconds()
        seconds = self._client.seconds(ask.path, ask.body, ask.number)
        self.cpu_ms.append(1000 * (self._process.cpu_seconds() - before) / ask.number)
        return ask.number / seconds


def _measure(sides: dict[str, Side], rounds: int, requests: int) -> tuple[list[Row], dict[str, float]]:
    texts = {task: f"{TEXT} {task}" for task in range(1, TASKS + 1)}
    asks = {
        "predict_1": Ask("/predict", predict_body({1: texts[1]}), requests),
        "predict_100": Ask("/predict", predict_body(texts), max(10, requests // 5)),
        "setup": Ask("/setup", setup_body(), requests),
    }
    rows: list[Row] = []
    summary: dict[str, float] = {}
    for what, ask in asks.items():
        if what != "predict_100" and sides["shortlist"].answer(ask) != sides["flask"].answer(ask):
            raise RuntimeError("both must answer with the same content")
        for side in sides.values():
            side.rate(ask)  # the first requests warm up
            side.cpu_ms.clear()
        found = interleaved(rounds, {name: partial(side.rate, ask) for name, side in sides.items()})
        summary[what] = ratio(found["shortlist"], found["flask"])
        for name, values in found.items():
            rows += [row(what, name, value, "requests/s", turn) for turn, value in enumerate(values)]
            cpu = sides[name].cpu_ms
            rows += [row(f"{what} processor", name, value, "ms/request", turn) for turn, value in enumerate(cpu)]
    return rows, summary


def _entry(version: str) -> dict[str, object]:
    region = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [LABELS[1]]}}
    return {"model_version": version, "score": 0.75, "result": [region]}
