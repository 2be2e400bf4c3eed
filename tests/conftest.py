"""Fixtures that every test may ask for: a pool on either database, and a Redis. Everything is real."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from backend.pool.database.engine import open_engine
from tests.support import guard
from tests.support.folders import write_in_memory
from tests.support.servers import PostgresServer, RedisServer, sqlite_file

BUSY = [HealthCheck.too_slow]  # a busy machine is no failure
settings.register_profile("search", deadline=None, suppress_health_check=BUSY)  # --hypothesis-profile=search
settings.register_profile("repeat", settings.get_profile("search"), derandomize=True)
settings.load_profile("repeat")  # each run tries the same examples: what fails was changed


write_in_memory()
guard.begin()
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # numpy and torch, which are not imported yet, read it
    os.environ.setdefault(_name, "1")  # several tests run at a time, and more threads than cores wait busily
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as the Makefile: else every process compiles torch anew
sys.dont_write_bytecode = False


SECOND = ("take_home", "kinds_learned", "pairs", "finish", "search", "main_job", "several", "committee")
GROUPS = {  # what shares costly things of the session, or is a crowd of processes by itself, stays on one worker
    **{f"tests/e2e/test_{name}.py": "second-label-studio" for name in SECOND},  # as long as all others
    "tests/e2e/": "label-studio",
    "tests/model/teacher/test_small_llm.py": "llm",
    "tests/backend/commands/start/": "embedded",
    "tests/backend/queue/test_worker.py": "workers",
    "tests/backend/jobs/test_web_faults.py": "faults",
    "tests/backend/jobs/test_versions_live.py": "faults",
    "tests/backend/jobs/test_database_faults.py": "faults",
    "tests/backend/jobs/test_several_hosts.py": "faults",
    "tests/backend/jobs/test_storage_faults.py": "faults",
    "tests/backend/jobs/test_clock_faults.py": "faults",
    "tests/backend/web/test_web_image.py": "web-image",
    "tests/backend/web/test_slow_clients.py": "slow-clients",
    "tests/backend/web/test_pages_in_browser.py": "pages",
    "tests/backend/web/test_label_studio_ml.py": "label-studio-ml",
    "tests/model/encoder/": "encoders",
    "tests/model/training/test_finetune.py": "finetune",
    "tests/model/portable/": "portable",
    "tests/backend/commands/": "commands",
}  # in the order in which they begin: those that take longest first, so that none is left over at the end
LONG = (
    "tests/test_left_behind.py",
    "tests/test_trimmed_packages.py",
    "tests/benchmarks/speed/",
    "tests/backend/jobs/",
    "tests/backend/training/",
)  # these come next, one by one


class Groups(LoadScopeScheduling):
    """Hands out tests one by one, and groups as a whole, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for path, group in GROUPS.items() if nodeid.startswith(path)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Called where the suite runs on several workers. The marks of `--dist loadgroup` do nothing under pytest 9.2."""
    config.option.loadscopereorder = False  # by the number of their tests
    return Groups(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is imported is garbage: to look for some takes a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    order = [*GROUPS, *LONG]

    def place(item: pytest.Item) -> int:
        return next((place for place, path in enumerate(order) if item.nodeid.startswith(path)), len(order))

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Instances that tests start are unknown to the commands of the person who runs the tests, and the reverse."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole session, started when the first test needs it."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: the test runs once on SQLite and once on PostgreSQL. It has the current schema
    where the test asks for an `engine`, too."""
    migrated = "engine" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "pool.sqlite"
        yield f"sqlite:///{sqlite_file(path) if migrated else path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database(migrated) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An empty pool with the current schema, once per kind of database."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty pool on SQLite, for tests of parts to which the database does not matter."""
    opened = open_engine(f"sqlite:///{sqlite_file(tmp_path / 'pool.sqlite')}")
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for the whole session. Tests that stop or kill theirs make a RedisServer of their own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> Iterator[str]:
    """The URL of an empty Redis."""
    redis_server.flush()
    yield redis_server.url
    redis_server.flush()
