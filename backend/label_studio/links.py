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
    items = [
        {"filter": "filter:tasks:id", "operator": "equal", "type": "Number", "value": task}
        for task in sorted(tasks[:MOST_TASKS])
    ]
    tab = {"title": title[:60], "ordering": [], "filters": {"conjunction": "or", "items": items}}
    packed = gzip.compress(json.dumps(tab, separators=(",", ":")).encode(), mtime=0)
    code = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"{project_link(label_studio_url, project)}?tab={code}"
