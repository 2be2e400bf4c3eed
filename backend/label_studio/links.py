"""Addresses inside Label Studio: a project, a task, and the Data Manager filtered to some tasks."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence

MOST_TASKS = 60  # in one filter: the address must not become too long for proxies


def project_link(label_studio_url: str, project: int) -> str:
    """The project's list of tasks; empty where Label Studio's address is not known."""
    return f"{label_studio_url}/projects/{project}/data" if label_studio_url else ""


def task_link(label_studio_url: str, project: int, task: int) -> str:
    """One task, opened in the Data Manager; empty where Label Studio's address is not known."""
    return f"{project_link(label_studio_url, project)}?task={task}" if label_studio_url else ""


def tasks_link(label_studio_url: str, project: int, tasks: Sequence[int], title: str) -> str:
    """The Data Manager with a passing tab that shows these tasks (the first MOST_TASKS of them).

    Label Studio's front end reads a tab from the address: gzipped JSON in URL-safe base 64 (its `snapshotFromUrl`).
    """
    if not label_studio_url or not tasks:
        return project_link(label_studio_url, project)
    return _tab(
        label_studio_url,
        project,
        title,
        [_filter("id", "equal", "Number", task) for task in sorted(tasks[:MOST_TASKS])],
    )


def person_link(label_studio_url: str, project: int, person: int) -> str:
    """The tasks that somebody labelled, where Label Studio shows their name; empty without its address."""
    return _tab(label_studio_url, project, f"User {person}", [_filter("annotators", "contains", "List", person)])


def _filter(column: str, operator: str, kind: str, value: int) -> dict[str, object]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def _tab(label_studio_url: str, project: int, title: str, items: list[dict[str, object]]) -> str:
    if not label_studio_url:
        return ""
    tab = {"title": title[:60], "ordering": [], "filters": {"conjunction": "or", "items": items}}
    packed = gzip.compress(json.dumps(tab, separators=(",", ":")).encode(), mtime=0)
    code = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"{project_link(label_studio_url, project)}?tab={code}"
