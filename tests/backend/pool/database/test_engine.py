from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from backend.errors import PoolError
from backend.pool import ledger, projects, tasks, versions
from backend.pool.database import engine as pool_engine
from backend.pool.database.engine import MIGRATIONS, now_ms, open_engine, upgrade, write
from backend.pool.database.schema import SCHEMA
from model.labels import Label, LabelSpace
from tests.support.processes import at_once, migrate

FAILING = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0999", {head!r}, None, None


def upgrade() -> None:
    op.create_table("half_done", sa.Column("a", sa.Integer))
    {then}
"""


def with_one_more_migration(monkeypatch: pytest.MonkeyPatch, folder: Path, then: str) -> None:
    """Let this process know a migration that comes after all released ones."""
    copy = folder / "migrations"
    shutil.copytree(MIGRATIONS, copy)
    head = max(path.stem for path in (copy / "versions").glob("0*.py"))[:4]
    (copy / "versions" / "0999_next.py").write_text(FAILING.format(head=head, then=then))
    monkeypatch.setattr(pool_engine, "MIGRATIONS", copy)


def tables_of(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names())


def describe(engine: sa.Engine) -> dict[str, object]:
    """Columns with types and defaults, keys and indexes, as the database itself tells them, of all tables at once."""
    found = sa.inspect(engine)
    columns, keys, indexes = found.get_multi_columns(), found.get_multi_pk_constraint(), found.get_multi_indexes()
    return {
        name: (
            sorted((column["name"], str(column["type"]), column["nullable"], column["default"])
                   for column in columns[None, name]),
            keys[None, name],
            sorted((index["name"], index["column_names"], index["unique"]) for index in indexes[None, name]),
        )
        for name in SCHEMA.tables
    }  # fmt: skip


def test_the_migrated_schema_is_the_one_of_the_tables(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), SCHEMA) == []
    assert tables_of(engine) == {*SCHEMA.tables, "alembic_version"}
    migrated = describe(engine)
    SCHEMA.drop_all(engine)
    SCHEMA.create_all(engine)
    assert describe(engine) == migrated


REVISIONS = sorted(path.stem[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))


def go_back(engine: sa.Engine, revision: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make the database what a former release left: its schema, and no rows."""
    with write(engine) as connection:
        SCHEMA.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with monkeypatch.context() as former:
        shutil.copytree(MIGRATIONS, folder / "former")
        for later in (folder / "former" / "versions").glob("0*.py"):
            if later.stem[:4] > revision:
                later.unlink()
        former.setattr(pool_engine, "MIGRATIONS", folder / "former")
        upgrade(engine)


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_former_schema_is_upgraded_with_its_rows(
    engine: sa.Engine, revision: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    current = describe(engine)
    go_back(engine, revision, monkeypatch, tmp_path)
    with write(engine) as connection:
        connection.exec_driver_sql("INSERT INTO tasks VALUES (7, 1, 'where is my parcel', 'hash', 1)")
        connection.exec_driver_sql("INSERT INTO published (project, version, task) VALUES (7, 'student-1-x', 1)")
    upgrade(engine)
    assert describe(engine) == current
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT text FROM tasks").scalar_one() == "where is my parcel"
        assert connection.exec_driver_sql("SELECT task FROM published").scalar_one() == 1


def test_projects_of_a_former_release_stay_what_they_are(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go_back(engine, "0013", monkeypatch, tmp_path)
    space = LabelSpace.of(["a", "b"], "mood|Choices|text|$text")
    levels = LabelSpace(tuple(Label(str(level)) for level in range(1, 6)), "stars|Rating|text|$text")
    stored, rating = json.dumps(space.to_json()), json.dumps(levels.to_json())
    rows = (
        "INSERT INTO projects (project, created, title, label_config, options, created_ms, spent_microusd, space)"
        f" VALUES (7, '1763700000', 'tickets', '<View/>', '{{}}', 1, 700000, '{stored}'),"
        f" (8, '', 'mails', '<View/>', '{{}}', 1, 0, NULL), (9, '', 'stars', '<View/>', '{{}}', 1, 0, '{rating}')",
        "INSERT INTO versions (project, version, number, space_hash, state, metrics, human_labels, created_ms)"
        " VALUES (7, 'student-4-x', 4, 'x', 'promoted', '{}', 9, 1)",
        "INSERT INTO tasks VALUES (7, 1, 'where is my parcel', 'hash', 1)",
        "INSERT INTO ledger (project, version, calls, input_tokens, output_tokens, microusd, created_ms)"
        " VALUES (7, 'teacher-x', 1, 2, 3, 700000, 1)",
    )
    with write(engine) as connection:
        for row in rows:
            connection.exec_driver_sql(row)
    upgrade(engine)
    found = projects.find(engine, 7, "1763700000")
    assert found is not None
    assert (found.project, found.label_studio_id, found.title, found.elsewhere) == (7, 7, "tickets", False)
    assert [row.project for row in projects.all_projects(engine)] == [7, 8, 9]
    assert [row.questions for row in projects.all_projects(engine)] == [
        "mood",
        "",
        "stars",
    ]  # others may be in the label config
    assert [row.former for row in projects.all_projects(engine)] == [True] * 3  # ticks go on meaning what they did
    assert found.space == space
    assert projects.get(engine, 9).space == replace(levels, answer="ordered")  # and its hash, so nothing is asked anew
    assert replace(levels, answer="ordered").hash == levels.hash
    assert projects.find(engine, 8, "1763700001") == projects.get(engine, 8)  # of which no time was ever told
    assert tasks.texts(engine, 7, [1]) == {1: "where is my parcel"}
    assert ledger.totals(engine, 7).counted_microusd == 700_000
    assert versions.next_number(engine, 7) == 5
    assert projects.find(engine, 7, "1763709999") is None


def test_upgrading_again_changes_nothing(engine: sa.Engine) -> None:
    before = tables_of(engine)
    upgrade(engine)
    assert tables_of(engine) == before


def test_four_processes_may_upgrade_at_once(database_url: str) -> None:
    at_once(4, migrate, database_url)
    engine = open_engine(database_url)
    assert tables_of(engine) == {*SCHEMA.tables, "alembic_version"}
    engine.dispose()


def test_a_new_file_that_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "pool.sqlite", isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")  # SQLite does not wait for it when the journal's mode is to change
    finished = threading.Timer(0.1, writer.execute, ["COMMIT"])
    finished.start()
    engine = open_engine(f"sqlite:///{tmp_path}/pool.sqlite")
    upgrade(engine)
    finished.join()
    writer.close()
    assert tables_of(engine) == {*SCHEMA.tables, "alembic_version"}
    engine.dispose()


def test_a_newer_schema_is_refused(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as newer:
        with_one_more_migration(newer, tmp_path, "pass")
        upgrade(engine)
    with pytest.raises(PoolError, match="schema 0999, which this release does not know; install the newer release"):
        upgrade(engine)


def test_a_migration_that_fails_leaves_nothing_behind(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = tables_of(engine)
    with_one_more_migration(monkeypatch, tmp_path, "raise RuntimeError('power cut')")
    with pytest.raises(RuntimeError, match="power cut"):
        upgrade(engine)
    assert tables_of(engine) == before


def delete_all_and_fail(engine: sa.Engine) -> None:
    with write(engine) as connection:
        connection.execute(sa.text("DELETE FROM numbers"))
        connection.execute(sa.text("SELECT * FROM nowhere"))


def test_writers_wait_for_each_other_and_lose_nothing(engine: sa.Engine) -> None:
    with write(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE numbers (n INTEGER)")
    for number in range(20):
        with write(engine) as connection:
            connection.execute(sa.text("INSERT INTO numbers VALUES (:n)"), {"n": number})
    with pytest.raises(sa.exc.SQLAlchemyError):
        delete_all_and_fail(engine)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM numbers")).scalar_one() == 20


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://localhost/x", "is of kind 'mysql'; allowed are sqlite:///file and postgresql"),
        ("not a url", "cannot be understood"),
        ("sqlite:////proc/nowhere/pool.sqlite", "the folder of the database cannot be made"),
    ],
)
def test_urls_that_cannot_be_used(url: str, sentence: str) -> None:
    with pytest.raises(PoolError, match=sentence):
        open_engine(url)


def test_the_folder_of_a_file_is_made(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a' / 'b' / 'pool.sqlite'}")
    upgrade(engine)
    engine.dispose()
    assert (tmp_path / "a" / "b" / "pool.sqlite").exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "pool.sqlite").write_text("these are my notes, and they are long enough to be read" * 20)
    engine = open_engine(f"sqlite:///{tmp_path / 'pool.sqlite'}")
    with pytest.raises(PoolError, match="cannot be opened: file is not a database"):
        upgrade(engine)
    engine.dispose()


def test_a_server_that_is_not_there_and_no_password_in_the_message() -> None:
    engine = open_engine("postgresql://me:secret@127.0.0.1:1/pool")
    with pytest.raises(PoolError, match="cannot be opened") as caught:
        upgrade(engine)
    assert "secret" not in str(caught.value)
    engine.dispose()


def test_sqlite_is_in_wal_mode_and_patient(sqlite_engine: sa.Engine) -> None:
    with sqlite_engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 30_000


def test_a_reader_does_not_wait_for_a_writer(sqlite_engine: sa.Engine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "pool.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with sqlite_engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tasks").scalar_one() == 0
    other.execute("ROLLBACK")
    other.close()


def test_now_is_milliseconds() -> None:
    assert 1_700_000_000_000 < now_ms() < 10_000_000_000_000
