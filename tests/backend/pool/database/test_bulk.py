from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.pool.database.bulk import chunks, upsert
from backend.pool.database.engine import write
from backend.pool.database.student_tables import predictions
from backend.pool.database.work_tables import jobs
from backend.pool.text import storable

ROW = {"project": 1, "kind": "train", "state": "queued", "step": "a", "updated_ms": 1}


def stored(engine: sa.Engine) -> list[tuple[str, str, int]]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(jobs.c.kind, jobs.c.step, jobs.c.updated_ms).order_by(jobs.c.kind))
        return [(kind, step, updated) for kind, step, updated in rows]


def put(engine: sa.Engine, *rows: dict[str, object], **options: object) -> None:
    with write(engine) as connection:
        upsert(connection, jobs, rows, **options)  # type: ignore[arg-type]


def test_new_rows_replace_old_ones_by_key(engine: sa.Engine) -> None:
    put(engine, ROW)
    put(engine, {**ROW, "step": "b", "updated_ms": 2}, {**ROW, "kind": "publish"})
    assert stored(engine) == [("publish", "a", 1), ("train", "b", 2)]


def test_of_two_rows_with_the_same_key_the_last_one_counts(engine: sa.Engine) -> None:
    put(engine, ROW, {**ROW, "step": "b"}, {**ROW, "kind": "publish"}, {**ROW, "step": "c"})
    assert stored(engine) == [("publish", "a", 1), ("train", "c", 1)]


def test_kept_columns(engine: sa.Engine) -> None:
    put(engine, ROW)
    put(engine, {**ROW, "step": "b", "updated_ms": 2}, keep=["updated_ms"])
    assert stored(engine) == [("train", "b", 1)]
    put(engine, {**ROW, "step": "c", "updated_ms": 3}, keep=list(ROW))
    assert stored(engine) == [("train", "b", 1)]


def test_rows_that_are_left_alone(engine: sa.Engine) -> None:
    put(engine, ROW, {**ROW, "kind": "publish", "updated_ms": 9})
    new = [{**ROW, "kind": kind, "step": "b", "updated_ms": 5} for kind in ("publish", "train")]
    put(engine, *new, unless=jobs.c.updated_ms > 5)
    assert stored(engine) == [("publish", "a", 9), ("train", "b", 5)]


def test_many_rows_are_refused_and_kept_as_one_is(engine: sa.Engine) -> None:
    """PostgreSQL gets them as arrays: nothing is cut, and lists, numbers and what is missing stay what they are."""
    key = {"project": 1, "version": "v"}
    several: list[list[str] | None] = [["a", "b"], [], None]
    rows = [
        {**key, "task": number, "text_hash": "h", "label": "a", "score": number / 3, "labels": labels}
        for number, labels in enumerate(several)
    ]
    with write(engine) as connection:
        upsert(connection, predictions, rows)
        found = connection.execute(sa.select(predictions.c.score, predictions.c.labels).order_by(predictions.c.task))
        assert [tuple(row) for row in found] == [(0.0, ["a", "b"]), (1 / 3, []), (2 / 3, None)]
        assert connection.scalar(sa.select(sa.func.count()).where(predictions.c.labels.is_(None))) == 1
    if engine.dialect.name == "postgresql":
        with pytest.raises(sa.exc.DataError), write(engine) as connection:
            upsert(connection, predictions, [{**row, "version": "v" * 65} for row in rows])


def test_no_rows(engine: sa.Engine) -> None:
    put(engine)
    assert stored(engine) == []


def test_chunks() -> None:
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []


@pytest.mark.parametrize(("text", "kept"), [("Grüße 🎉", "Grüße 🎉"), ("a\x00b", "a�b"), ("a\ud800b", "a�b"), ("", "")])
def test_what_a_database_cannot_hold_is_replaced(text: str, kept: str) -> None:
    assert storable(text) == kept
