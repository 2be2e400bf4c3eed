"""How a project is answered is derived once, and anew as soon as anything that shapes an answer changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.errors import LabelingConfigError, SettingsError
from backend.pool import projects, versions
from backend.pool.projects import Project
from backend.projects.current import Facts, current_of
from backend.projects.updates import remember
from backend.queue.job_queue import JobQueue
from backend.services import Services
from backend.settings import Settings
from tests.support.configs import CONFIG_A


@pytest.fixture
def services(sqlite_engine: sa.Engine, tmp_path: Path, redis_url: str) -> Iterator[Services]:
    template = tmp_path / "prompt.txt"
    template.write_text("Choose among $labels. $task")
    settings = Settings(_env_file=None, DATA_DIR=tmp_path, TEACHER="openai:small", PROMPT_FILE=str(template))
    queue = JobQueue(redis_url, sqlite_engine)
    found = Services(settings, sqlite_engine, queue)
    remember(found, 7, "1", CONFIG_A)
    yield found
    queue.connection.close()


def row(services: Services) -> Project:
    found = projects.get(services.engine, 7)
    assert found is not None
    return found


def now(services: Services) -> Facts:
    found = current_of(services, row(services))
    assert found.project == row(services)
    return found.facts


def test_it_stays_the_same_object_while_only_people_work(services: Services) -> None:
    first = now(services)
    projects.mark_trained(services.engine, 7, 5)
    projects.set_synced(services.engine, 7, "2026-11-21T05:00:00.000000Z")
    projects.set_published(services.engine, 7, "teacher-x")
    assert now(services) is first


def test_a_promotion_an_option_a_config_and_a_prompt_file_are_seen_at_once(services: Services) -> None:
    seen = [now(services)]
    space_hash = row(services).space_hash
    version = f"student-1-{space_hash}"
    versions.add(services.engine, 7, version, 1, space_hash, {}, 0)
    projects.promote(services.engine, 7, version)
    seen.append(now(services))
    assert seen[-1].served_version == version
    remember(services, 7, "1", CONFIG_A, extra_params={"SERVE": "teacher", "MAX_CANDIDATES": 2})
    seen.append(now(services))
    assert seen[-1].options.MAX_CANDIDATES == 2
    assert seen[-1].served_version.startswith("teacher-")
    remember(services, 7, "1", CONFIG_A.replace('value="other"', 'value="another"'))
    seen.append(now(services))
    assert "another" in seen[-1].control.space
    Path(services.settings.PROMPT_FILE).write_text("Another prompt: $labels $task")
    seen.append(now(services))
    assert seen[-1].served_version != seen[-2].served_version
    assert len(set(map(id, seen))) == len(seen)


def test_a_config_that_is_not_supported_is_refused_each_time(services: Services) -> None:
    remember(services, 7, "1", "<View/>")
    for _ in range(2):
        with pytest.raises(LabelingConfigError):
            current_of(services, row(services)).served_version  # noqa: B018


def test_a_prompt_file_that_cannot_be_used_is_told_to_whom_needs_it(services: Services) -> None:
    Path(services.settings.PROMPT_FILE).write_text("no labels here")
    found = current_of(services, row(services))
    assert found.options.TEACHER == "openai:small"
    with pytest.raises(SettingsError, match="has no \\$labels"):
        found.teacher_version  # noqa: B018
