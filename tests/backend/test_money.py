"""Money over real processes and HTTP: never over the budget, and no key in any place that somebody may read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from sqlalchemy import text as sql

from backend.errors import BudgetReached
from backend.jobs import annotate
from backend.pool import ledger, tasks
from backend.pool.database.engine import open_engine
from backend.pool.jobs import get as job_rows
from backend.projects.job import Job
from backend.queue.job_queue import JobQueue
from backend.reporting.status import project_status
from backend.services import Services
from backend.settings import Settings
from model.teacher.errors import TeacherError
from tests.model.teacher.conftest import http_server, running_server
from tests.support.llm import KEY, says_billing, with_llm
from tests.support.llm_server import AnthropicServer, LlmServer, OpenAIServer, Play
from tests.support.processes import at_once
from tests.support.world import World, messages

__all__ = ["http_server", "running_server"]
PER_CALL = 100 * 1000 + 10 * 2000  # micro-dollars at TEACHER_PRICE=1000,2000


@pytest.fixture
def llm(world: World) -> Iterator[OpenAIServer]:
    server = HTTPServer(port=0, threaded=True)
    server.start()
    found = OpenAIServer(server, says_billing)
    tasks.add(world.engine, 7, dict(enumerate((text for text, _ in messages(4)), start=1)))
    yield found
    server.stop()


def annotate_until_stopped(index: int, folder: str, redis_url: str, url: str, budget: float) -> str:
    """One worker's work: its own share of the tasks would be chosen by the queue; here both want all of them."""
    settings = Settings(
        _env_file=None, DATA_DIR=Path(folder), REDIS_URL=redis_url, TEACHER="openai:tiny-1", EXAMPLES="none",
        OPENAI_API_KEY=SecretStr(KEY), OPENAI_BASE_URL=url, TEACHER_PRICE="1000,2000", BUDGET_USD=budget,
        PROMPT="single" if index else "all", LLM_CONCURRENCY=3,
    )  # fmt: skip
    engine = open_engine(settings.database_url)
    services = Services(settings, engine, JobQueue(redis_url, engine))
    try:
        return annotate.work(Job(services, "annotate", 7))
    except BudgetReached as error:
        return str(error)
    finally:
        engine.dispose()


def test_two_workers_never_spend_a_micro_dollar_more_than_the_budget(world: World, llm: OpenAIServer) -> None:
    budget = 8.0
    wanted = dict(enumerate((text for text, _ in messages(6)), start=1))
    tasks.add(world.engine, 7, wanted)
    assert len(wanted) * PER_CALL > budget * 1e6  # one alone cannot finish, however late the other begins
    with_llm(world, llm.base_url, budget)
    redis_url = world.services.settings.REDIS_URL
    said = at_once(2, annotate_until_stopped, str(world.folder), redis_url, llm.base_url, budget)
    assert all("Raise BUDGET_USD to go on" in one for one in said), said
    totals = ledger.totals(world.engine, 7)
    assert llm.answered * PER_CALL == totals.microusd <= budget * 1e6
    assert totals.unsettled_microusd == 0
    assert totals.calls == llm.answered > 20


def annotate_all(_index: int, folder: str, redis_url: str, url: str) -> str:
    """A worker that does not know of the others, as one whose queue has forgotten them."""
    return annotate_until_stopped(1, folder, redis_url, url, 100.0)


def test_workers_that_do_not_know_of_each_other_never_pay_twice(world: World, llm: OpenAIServer) -> None:
    with_llm(world, llm.base_url, 100.0)
    llm.script = lambda text, asked: Play(seconds=0.1)
    at_once(3, annotate_all, str(world.folder), world.services.settings.REDIS_URL, llm.base_url)
    wanted = {text for text, _ in messages(4)}
    totals = ledger.totals(world.engine, 7)
    assert totals.calls == llm.answered == len(wanted)
    assert totals.unsettled_microusd == 0


def places(world: World) -> dict[str, str]:
    """Everything that people may read, by where it is."""
    status = project_status(world.current)
    found = {"status": json.dumps(status), "settings": repr(world.services.settings)}
    with world.engine.connect() as connection:
        for table in sa.inspect(world.engine).get_table_names():
            found[table] = repr(connection.execute(sql(f"SELECT * FROM {table}")).all())
    return found


@pytest.mark.parametrize("batch", ["off", "always"])
@pytest.mark.parametrize("protocol", [OpenAIServer, AnthropicServer])
def test_no_key_is_ever_shown_when_the_server_repeats_it(
    world: World, http_server: HTTPServer, capfd: pytest.CaptureFixture[str], batch: str, protocol: type[LlmServer]
) -> None:
    llm = protocol(http_server, says_billing, None)
    tasks.add(world.engine, 7, dict(enumerate((text for text, _ in messages(4)), start=1)))
    llm.script = lambda text, asked: Play(status=401, error=f"Incorrect API key provided: {KEY}. Header {KEY[:12]}")
    from backend.jobs.run import _run
    from backend.pool import jobs

    with_llm(world, llm, BATCH=batch)
    jobs.begin(world.engine, 7, "annotate")
    _run(world.job("annotate"), annotate.work)
    found = {**places(world), "log": "".join(capfd.readouterr())}
    assert llm.headers[0]["authorization"] == f"Bearer {KEY}"
    assert "Incorrect API key" in found["jobs"]  # the reason is told, without the key
    assert {name for name, content in found.items() if KEY in content or re.search(r"sk-test-0123", content)} == set()


def test_people_read_why_the_teacher_stopped(world: World, llm: OpenAIServer) -> None:
    from backend.jobs.run import _run
    from backend.pool import jobs

    with_llm(world, llm.base_url)
    assert project_status(world.current)["teacher"]["stopped"] is None
    llm.script = lambda text, asked: Play(status=401, error="no such key")
    jobs.begin(world.engine, 7, "annotate")
    _run(world.job("annotate"), annotate.work)
    stopped = project_status(world.current)["teacher"]["stopped"]
    assert "no such key" in stopped
    assert "OPENAI_API_KEY" in stopped
    assert len(llm.requests) == 1
    llm.script = lambda text, asked: None
    with_llm(world, llm.base_url, budget=0.0001)
    _run(world.job("annotate"), annotate.work)
    assert "Raise BUDGET_USD" in project_status(world.current)["teacher"]["stopped"]
    assert job_rows(world.engine, 7)["annotate"].state == "failed"


def test_an_outage_is_tried_again_and_what_it_answered_is_paid_once(world: World, llm: OpenAIServer) -> None:
    llm.script = lambda text, asked: Play(status=400, error="bad") if "parcel" in text and asked < 1 else None
    with_llm(world, llm.base_url)
    try:
        annotate.work(world.job("annotate"))
    except TeacherError:
        annotate.work(world.job("annotate"))
    totals = ledger.totals(world.engine, 7)
    assert totals.calls == llm.answered
    assert totals.unsettled_microusd == 0
