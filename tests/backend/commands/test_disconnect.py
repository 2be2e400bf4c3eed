"""`shortlist disconnect`: what was registered goes, and what is held here only where that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.errors import LabelStudioRefused, ProjectError, SettingsError
from backend.queue.job_queue import JobQueue
from model.registry import Registry
from tests.backend.commands.conftest import Run, read_json
from tests.support.label_studio_double import LabelStudioDouble


class Student:
    """As little as can be stored."""

    def save(self, folder: Path) -> None:
        (folder / "student.json").write_text("{}")


@pytest.fixture
def versions(run: Run, tmp_path: Path) -> Registry:
    """The versions of project 7, which is connected: one."""
    run("connect", "7")
    registry = Registry(str(tmp_path / "data" / "versions"), tmp_path / "fetched")
    registry.write(7, "student-1-abcdef", Student(), {})
    assert registry.versions(7) == ["student-1-abcdef"]
    return registry


def test_connection_and_webhook_go_and_all_else_stays(double: LabelStudioDouble, run: Run, versions: Registry) -> None:
    other = {"id": 900, "url": "http://127.0.0.1:8/webhook"}
    double.webhooks[900] = other
    assert "Project 7 (tickets): 2 connections and webhooks removed" in run("disconnect", "7").stdout
    assert (double.connections, double.webhooks) == ({}, {900: other})
    assert versions.versions(7)
    assert read_json(run("disconnect", "7", "--json"))["removed"] == 0
    run("connect", "7")
    assert len(double.connections) == 1


def test_a_project_is_forgotten_with_its_versions(double: LabelStudioDouble, run: Run, versions: Registry) -> None:
    with pytest.raises(SettingsError, match=r"say --yes, too: 0 texts, 0 labels of people, .*, 0 versions would go"):
        run("disconnect", "7", "--forget")
    assert double.connections
    assert "1 versions were removed" in run("disconnect", "7", "--forget", "--yes").stdout
    assert double.connections == {}
    assert versions.versions(7) == []
    with pytest.raises(ProjectError, match="project 7 is unknown"):
        run("versions", "7")


@pytest.mark.usefixtures("versions")
def test_without_label_studio_a_project_can_be_forgotten_all_the_same(run: Run) -> None:
    with pytest.raises(LabelStudioRefused):
        run("disconnect", "7", LABEL_STUDIO_API_KEY="")
    found = run("disconnect", "7", "--forget", "--yes", LABEL_STUDIO_API_KEY="")
    assert "must be removed by hand" in found.output
    with pytest.raises(ProjectError):
        run("versions", "7")


def test_nothing_is_forgotten_under_a_running_job(
    run: Run, versions: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobQueue, "place", lambda _queue, kind, _project: "running" if kind == "train" else "absent")
    with pytest.raises(ProjectError, match=r"under way \(train\): try again"):
        run("disconnect", "7", "--forget", "--yes")
    assert versions.versions(7)
