"""Only one process has a lock, and it is free as soon as its holder is gone."""

from __future__ import annotations

import os
import signal

import sqlalchemy as sa

from backend.pool.database.engine import open_engine
from backend.pool.database.lock import alone
from benchmarks.shared.waiting import wait_for

HELD = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def is_free(engine: sa.Engine, name: str) -> bool:
    with alone(engine, name) as mine:
        return mine


def hold(url: str, name: str, told: int) -> None:
    """What the other process does, until it is killed."""
    try:
        with alone(open_engine(url), name) as mine:
            os.write(told, b"+" if mine else b"-")
            signal.pause()
    finally:
        os._exit(1)


def test_one_at_a_time_and_free_when_the_holder_is_killed(engine: sa.Engine) -> None:
    said, told = os.pipe()
    holder = os.fork()
    if holder == 0:
        hold(engine.url.render_as_string(hide_password=False), "train-7", told)
    try:
        assert os.read(said, 1) == b"+"
        assert not is_free(engine, "train-7")
        assert is_free(engine, "train-8")
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        os.close(said)
        os.close(told)
    wait_for("the lock of a killed process", lambda: is_free(engine, "train-7"), 240, 0.01)
    with alone(engine, "train-7") as mine:
        assert mine
        assert not is_free(engine, "train-7")
    if engine.dialect.name == "postgresql":  # nothing stays with a connection that goes back to its pool
        with engine.connect() as connection:
            assert connection.exec_driver_sql(HELD).scalar() == 0


def test_a_pool_in_memory_has_no_other_process() -> None:
    assert is_free(open_engine("sqlite://"), "train-7")
