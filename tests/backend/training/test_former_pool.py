"""A pool that a program of before questions made goes on: served, trained on, and its teacher is not asked again.

`former_pool.sql.gz` was written by the program of 22 November 2026 (schema 0013) at a real Label Studio: 70 tasks that
an LLM had answered, 20 labels of people, a student. `tests/e2e/upgrade.py` tries checkouts of former releases.
"""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from backend.jobs import annotate, train
from backend.pool import versions
from backend.pool.database.engine import open_engine, upgrade
from backend.queue.job_queue import JobQueue
from backend.services import Services
from backend.settings import Settings
from benchmarks.shared.annotator import ticked
from tests.support.encoders import lend_exports
from tests.support.label_studio_double import TOKEN, LabelStudioDouble
from tests.support.llm_server import OpenAIServer
from tests.support.web_server import Server, task_body
from tests.support.world import World

DUMP = Path(__file__).parent / "former_pool.sql.gz"
TASKS, LABELS = 70, 20


@pytest.fixture
def llm() -> Iterator[OpenAIServer]:
    with HTTPServer(port=0) as server:
        yield OpenAIServer(server, lambda text: '{"candidates": ["billing"]}')


@pytest.fixture
def former(httpserver: HTTPServer, llm: OpenAIServer, redis_url: str, tmp_path: Path) -> Iterator[World]:
    """The old pool below the present program, with the Label Studio that it knew."""
    place = tmp_path / "pool.sqlite"
    with sqlite3.connect(place) as connection:
        connection.executescript(gzip.decompress(DUMP.read_bytes()).decode())
        (config,) = connection.execute("SELECT label_config FROM projects").fetchone()
        texts = dict(connection.execute("SELECT task, text FROM tasks").fetchall())
        labels = connection.execute("SELECT task, json_extract(labels, '$[0]') FROM annotations").fetchall()
    double = LabelStudioDouble(httpserver, project=1)
    double.fields |= {"label_config": config}
    assert sorted(texts) == double.add_tasks([texts[task] for task in sorted(texts)])
    for task, label in labels:
        double.annotate(task, [label])
    lend_exports(tmp_path)
    settings = Settings(
        _env_file=None, DATA_DIR=tmp_path, REDIS_URL=redis_url, LABEL_STUDIO_URL=double.url,
        LABEL_STUDIO_API_KEY=SecretStr(TOKEN), BLIND_SHARE=0.0, PREDICT_SECONDS=60, TEACHER="openai:tiny-1",
        OPENAI_API_KEY=SecretStr("sk-test"), OPENAI_BASE_URL=llm.base_url, TEACHER_PRICE="1,1", BATCH="off",
    )  # fmt: skip
    engine = open_engine(settings.database_url)
    upgrade(engine)
    queue = JobQueue(redis_url, engine)
    yield World(double, Services(settings, engine, queue), tmp_path)
    queue.connection.close()
    engine.dispose()


def test_it_is_served_and_trained_on_without_a_question(former: World, llm: OpenAIServer) -> None:
    current = former.current
    assert (current.project.questions, current.project.former) == ("label", True)
    assert (current.space.answer, current.space.hash) == ("one", "a61ccf")  # several ticks go on being a shortlist
    assert annotate.work(former.job("annotate")) == "the teacher has been asked about every task"
    assert train.work(former.job("train")).startswith("student-2-a61ccf accepted")
    found = {row.number: row.human_labels for row in versions.list_versions(former.engine, 1)}
    assert found == {1: LABELS, 2: LABELS}
    assert llm.requests == []


def test_who_opens_a_task_sees_what_the_former_student_said(former: World, llm: OpenAIServer) -> None:
    row = former.project
    with former.engine.connect() as connection:
        asked = "SELECT task, text, label FROM predictions JOIN tasks USING (project, task) ORDER BY task"
        rows = connection.exec_driver_sql(asked).all()
    assert len(rows) == TASKS - LABELS
    with Server(former.services.settings) as server:
        body = {"project": f"1.{row.created}", "label_config": row.label_config, "params": {"context": None},
                "tasks": [task_body(task, text, 1) for task, text, _ in rows]}  # fmt: skip
        found = server.post("/predict", body).json()["results"]
    assert [ticked(entry) for entry in found] == [[label] for _, _, label in rows]
    assert {entry["model_version"] for entry in found} == {"student-1-a61ccf"}
    assert llm.requests == []
