"""What a project's databases hold after many versions, and what a publish takes then.

Ours at full size: real trainings, and the record of what Label Studio would hold. Label Studio's with a real one and
fewer tasks, because it takes it a thirtieth of a second to delete a prediction: there versions are published and older
ones taken away by the real jobs, while what the versions answer is drawn. A version comes every hour.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from backend.commands.start.console import Console
from backend.commands.start.credentials import DATABASE
from backend.commands.start.data_dir import prepare
from backend.commands.start.label_studio import DEFAULT_VENV, EmbeddedLabelStudio, embedded_label_studio
from backend.commands.start.ports import free_port
from backend.commands.start.supervisor import Supervisor
from backend.jobs import clear, publish, train
from backend.label_studio.client import LabelStudio
from backend.pool import annotations as people
from backend.pool import held, predictions, publishing, tasks, versions
from backend.pool.annotation import Annotation
from backend.pool.database.engine import now_ms
from backend.pool.projects import Project, get
from backend.pool.text import text_hash
from backend.projects.connect import connect_project
from backend.projects.current import current_of
from backend.projects.job import Job
from backend.services import Services, open_services
from backend.serving.publishing.clearing import LEAST_MS, due, look
from benchmarks.speed.retrain import DECIDING, fill, text_of
from benchmarks.speed.rows import Row, row
from benchmarks.speed.web import (
    CONFIG,
    HOST,
    LABELS,
    PROJECT,
    environment_of,
    pool,
    redis_server,
    scratch,
    settings_for,
    web_server,
)

CHANGED = 0.1  # of a version's answers are others than those of the version before it
MOMENT = "2026-11-21T{:02d}:{:02d}:01.000000Z"


def growth_rows(number: int, size: int, shown: int) -> tuple[list[Row], dict[str, float]]:
    """Bytes per task of both databases after each of `number` versions, of `size` tasks in ours and of `shown` in Label
    Studio's; seconds of every publish and of taking older predictions away."""
    rows = [*_ours(number, size), *_label_studio(number, shown)]
    sizes = {(one["method"], one["seed"]): float(one["value"]) for one in rows if one["what"] == "size"}
    return rows, {
        f"bytes_per_task_{number}_versions": sizes["pool", number],
        f"label_studio_bytes_per_task_{number}_versions": sizes["Label Studio", number],
        "pool_growth_second_half": sizes["pool", number] / sizes["pool", number // 2],
        "label_studio_growth_second_half": sizes["Label Studio", number] / sizes["Label Studio", number // 2],
    }


def _ours(number: int, size: int) -> list[Row]:
    """By real trainings, each after twenty more labels by people."""
    rows: list[Row] = []
    with scratch() as folder, redis_server(folder) as redis:
        settings = settings_for(folder, redis, TEACHER="similarity", RETRAIN_AFTER=0)
        with pool(settings) as services:
            fill(services, size)
            for version in range(1, number + 1):
                started = range(1 + DECIDING * (version - 1), 1 + DECIDING * version)
                people.save(services.engine, PROJECT, [_label(task, version) for task in started])
                began = time.monotonic()
                train.work(Job(services, "train", PROJECT))
                rows.append(row("training", "pool", time.monotonic() - began, "s", version, tasks=size))
                publish.work(Job(services, "publish", PROJECT))
                _note_sent(_hours_later(services, version))
                used = _bytes(folder / "pool.sqlite") / size
                rows.append(row("size", "pool", used, "bytes/task", version, tasks=size))
    return rows


def _hours_later(services: Services, hours: int) -> Services:
    """A version an hour: nothing that somebody may still have open is taken away."""
    return replace(services, clock=lambda: now_ms() + hours * LEAST_MS)


def _note_sent(services: Services) -> None:
    """What a publish to a Label Studio writes down, and forgets once older rows are gone."""
    current = current_of(services, project_of(services, PROJECT))
    everything = tasks.all_ids(services.engine, PROJECT)
    publishing.intend(services.engine, PROJECT, current.served_version, everything)
    publishing.confirm(services.engine, PROJECT, current.served_version, everything)
    look(current)
    held.forget(services.engine, PROJECT, due(current), None)


def _label_studio(number: int, shown: int) -> list[Row]:
    rows: list[Row] = []
    with connected(shown) as (services, project, database):
        before, labels = _bytes(database), [0] * shown
        random = np.random.default_rng(0)
        for version in range(1, number + 1):
            other = random.random(shown) < CHANGED
            drawn = random.integers(len(LABELS), size=shown)
            labels = np.where(other | (version == 1), drawn, labels).tolist()
            answered(services, project, version, labels)
            rows += _timed(_hours_later(services, version), project, version, shown)
            rows.append(
                row("predictions held", "Label Studio", _held(database) / shown, "1/task", version, tasks=shown)
            )
            rows.append(row("size", "Label Studio", _bytes(database) / shown, "bytes/task", version, tasks=shown))
    return [*rows, row("size without predictions", "Label Studio", before / shown, "bytes/task", tasks=shown)]


def _timed(services: Services, project: int, version: int, shown: int) -> list[Row]:
    found = []
    for kind, work in (("publish", publish.work), ("clear", clear.work)):
        began = time.monotonic()
        work(Job(services, kind, project))
        while kind == "clear" and due(current_of(services, project_of(services, project))):
            work(Job(services, kind, project))
        found.append(row(kind, "Label Studio", time.monotonic() - began, "s", version, tasks=shown))
    return found


def project_of(services: Services, project: int) -> Project:
    """Its row in the pool."""
    found = get(services.engine, project)
    assert found is not None, "the project was connected"
    return found


def answered(services: Services, project: int, number: int, labels: list[int]) -> str:
    """A version that waits to be published; its name."""
    space = project_of(services, project).space_hash
    name, engine = f"student-{number}-{space}", services.engine
    versions.add(engine, project, name, number, space, {}, 0)
    texts = tasks.texts(engine, project, tasks.all_ids(engine, project))
    answers = [(task, text_hash(text), LABELS[label], 0.75)
               for (task, text), label in zip(texts.items(), labels, strict=True)]  # fmt: skip
    predictions.save(engine, project, name, answers)
    versions.set_state(engine, project, name, "publishing", "drawn")
    return name


def _label(task: int, version: int) -> Annotation:
    moment = MOMENT.format(version // 60, version % 60)
    return Annotation(task, task, 1, (LABELS[task % len(LABELS)],), "labelled", False, moment, None, None, None)


def _bytes(database: Path) -> int:
    """Of a SQLite database, with what is beside its file as yet."""
    return _number(database, "PRAGMA page_count") * _number(database, "PRAGMA page_size")


def _held(database: Path) -> int:
    return _number(database, "SELECT count(*) FROM prediction")


def _number(database: Path, query: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute(query).fetchone()[0])


@contextmanager
def connected(shown: int) -> Iterator[tuple[Services, int, Path]]:
    """A real Label Studio with so many tasks, connected with our web server; the place of its database."""
    with scratch() as folder, redis_server(folder) as redis, _running(folder) as label_studio:
        port = free_port(HOST)
        told = {"LABEL_STUDIO_URL": label_studio.url, "LABEL_STUDIO_API_KEY": label_studio.credentials.token,
                "BACKEND_URL": f"http://{HOST}:{port}"}  # fmt: skip
        settings = settings_for(folder, redis, TEACHER="similarity", RETRAIN_AFTER=0, **told)
        with (
            web_server("backend.web.wsgi:app", environment_of(settings, **told), folder, port),
            LabelStudio(label_studio.url, label_studio.credentials.token) as client,
        ):
            number = int(client.create_project("growth", CONFIG)["id"])
            client.import_tasks(number, [{"text": text_of(task)} for task in range(shown)])
            connected = connect_project(client, settings, number).project
            services = open_services(settings)
            tasks.add(services.engine, connected, {task: text_of(place) for place, task
                                                   in enumerate(sorted(client.task_ids(number)))})  # fmt: skip
            yield services, connected, folder / "label-studio" / DATABASE
            services.engine.dispose()


@contextmanager
def _running(folder: Path) -> Iterator[EmbeddedLabelStudio]:
    data, supervisor = prepare(folder), Supervisor(Console())
    label_studio = embedded_label_studio(data, free_port(HOST), DEFAULT_VENV)
    try:
        supervisor.start(label_studio.part)
        supervisor.wait_ready(label_studio.part.name)
        yield label_studio
    finally:
        supervisor.stop()
        data.release()
