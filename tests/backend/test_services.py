"""Which versions a project has, and what opening everything does."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from backend.errors import LabelingConfigError, PoolError, SettingsError
from backend.pool import projects, versions
from backend.pool.projects import Project
from backend.projects.current import current_of
from backend.queue.job_queue import JobQueue
from backend.services import Services, open_services
from backend.settings import Settings
from model.labels import LabelSpace

SPACE = LabelSpace.of(["a", "b"])


@pytest.fixture
def services(sqlite_engine: sa.Engine, tmp_path: Path) -> Services:
    settings = Settings(_env_file=None, DATA_DIR=tmp_path, OPENAI_API_KEY=SecretStr("sk-1234567890"))
    return Services(settings, sqlite_engine, JobQueue(""))


def project(services: Services, space: LabelSpace | None = SPACE, **options: object) -> Project:
    projects.save_config(services.engine, 7, "1", "tickets", "<View/>", space, "no control tag" * (not space), options)
    found = projects.get(services.engine, 7)
    assert found is not None
    return found


def promote(services: Services, version: str) -> None:
    versions.add(services.engine, 7, version, 1, version[-6:], {}, 1)
    projects.promote(services.engine, 7, version)


def test_the_teachers_version_follows_labels_and_what_shapes_its_answers(services: Services) -> None:
    version = current_of(services, project(services)).teacher_version
    kind, teacher, space = version.split("-")
    assert (kind, space, len(teacher)) == ("teacher", SPACE.hash, 6)
    assert current_of(services, project(services, RETRAIN_AFTER=3)).teacher_version == version
    assert current_of(services, project(services, MAX_CANDIDATES=2)).teacher_version != version
    assert current_of(services, project(services, TEACHER="openai:gpt")).teacher_version != version
    assert current_of(services, project(services, LabelSpace.of(["b", "a"]))).teacher_version.endswith(
        LabelSpace.of("ba").hash
    )


def test_a_promoted_student_is_served(services: Services) -> None:
    student = f"student-1-{SPACE.hash}"
    assert current_of(services, project(services)).served_version.startswith("teacher-")
    promote(services, student)
    assert current_of(services, project(services)).served_version == student
    assert current_of(services, project(services, SERVE="teacher")).served_version.startswith("teacher-")


def test_a_student_of_former_labels_is_not_served(services: Services) -> None:
    project(services)
    promote(services, f"student-1-{SPACE.hash}")
    changed = project(services, LabelSpace.of(["a", "b", "c"]))
    assert current_of(services, changed).served_version == current_of(services, changed).teacher_version


def test_an_unsupported_label_config_has_no_version(services: Services) -> None:
    with pytest.raises(LabelingConfigError, match="no control tag"):
        current_of(services, project(services, None)).served_version  # noqa: B018


def test_malformed_options_are_named(services: Services) -> None:
    with pytest.raises(SettingsError, match="RETRAIN_AFTER"):
        current_of(services, project(services, RETRAIN_AFTER=-1)).teacher_version  # noqa: B018


def test_the_teacher_gets_its_key_and_never_shows_it(services: Services) -> None:
    known = project(services, STUDENT_ENCODER="other")
    options = current_of(services, known).teacher_options
    assert (options.openai_api_key, options.encoder) == ("sk-1234567890", "other")
    assert "sk-1234567890" not in repr(options)


def test_opening_makes_the_pool_and_leaves_redis_alone(tmp_path: Path) -> None:
    services = open_services(Settings(_env_file=None, DATA_DIR=tmp_path / "new", REDIS_URL="redis://127.0.0.1:1/0"))
    assert projects.all_projects(services.engine) == []
    assert services.clock() > 0
    services.engine.dispose()
    with pytest.raises(PoolError, match="DATABASE_URL"):
        open_services(Settings(_env_file=None, DATABASE_URL="mysql://x"))
