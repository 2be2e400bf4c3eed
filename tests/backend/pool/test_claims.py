"""A question is asked by one process at a time, and whoever is gone holds nobody up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from backend.pool import claims
from backend.pool.database.engine import open_engine
from benchmarks.shared.waiting import wait_for
from tests.support.processes import at_once
from tests.support.samples import PROJECT, TEACHER

QUESTIONS = [f"{number:032x}" for number in range(40)]


def take_all(index: int, url: str, folder: str, number: int) -> list[str]:
    """Claim one by one, in an order of its own, and keep the claims until all have tried."""
    engine = open_engine(url)
    with claims.asking(engine) as mine:
        order = QUESTIONS[index * 7 :] + QUESTIONS[: index * 7]
        found = [question for question in order if mine.take(PROJECT, TEACHER, [question])]
        (Path(folder) / f"{index}.tried").touch()
        wait_for("the others", lambda: len(list(Path(folder).glob("*.tried"))) == number, 240, 0.01)
    engine.dispose()
    return found


def taken(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(claims.table)).scalar_one())


def test_each_question_has_one_asker(engine: sa.Engine) -> None:
    with claims.asking(engine) as mine:
        assert mine.take(PROJECT, TEACHER, QUESTIONS[:3]) == set(QUESTIONS[:3])
        assert mine.take(PROJECT, TEACHER, QUESTIONS[:3]) == set()
        with claims.asking(engine) as other:
            assert other.take(PROJECT, TEACHER, QUESTIONS[:5]) == set(QUESTIONS[3:5])
            assert other.take(PROJECT, "teacher-of-others", QUESTIONS[:5]) == set(QUESTIONS[:5])
            mine.release(PROJECT, TEACHER, QUESTIONS[:1])
            assert other.take(PROJECT, TEACHER, QUESTIONS[:3]) == set(QUESTIONS[:1])
    assert taken(engine) == 0


def test_several_processes_share_the_questions(engine: sa.Engine, tmp_path: Path) -> None:
    url = engine.url.render_as_string(hide_password=False)
    found = at_once(3, take_all, url, str(tmp_path), 3)
    assert sorted(question for one in found for question in one) == QUESTIONS
    assert taken(engine) == 0


def hold(url: str, told: int) -> None:
    """What the other process does, until it is killed."""
    try:
        with claims.asking(open_engine(url)) as mine:
            os.write(told, str(len(mine.take(PROJECT, TEACHER, QUESTIONS))).encode())
            signal.pause()
    finally:
        os._exit(1)


@contextmanager
def holder(engine: sa.Engine) -> Iterator[int]:
    """The process that asks all questions."""
    said, told = os.pipe()
    process = os.fork()
    if process == 0:
        hold(engine.url.render_as_string(hide_password=False), told)
    try:
        assert os.read(said, 2) == str(len(QUESTIONS)).encode()
        yield process
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(said)
        os.close(told)


def test_a_process_that_stands_still_keeps_its_questions_and_a_killed_one_does_not(
    engine: sa.Engine, tmp_path: Path
) -> None:
    with claims.asking(engine) as mine:
        with holder(engine) as process:
            assert mine.take(PROJECT, TEACHER, QUESTIONS) == set()
            os.kill(process, signal.SIGSTOP)
            assert mine.take(PROJECT, TEACHER, QUESTIONS) == set()
        found: set[str] = set()

        def again() -> bool:
            found.update(mine.take(PROJECT, TEACHER, QUESTIONS))
            return bool(found)

        wait_for("the questions of a killed process", again, 240, 0.01)
        assert found == set(QUESTIONS)
    assert not list(tmp_path.glob("*-locks/*"))
