"""The title of our ML backend connection is the served version: only then do score column and sampling follow it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import structlog

from backend.errors import LabelStudioError, LabelStudioRefused, LabelStudioUnavailable
from backend.jobs.run import Job
from backend.label_studio.client import LabelStudio
from backend.pool import projects
from backend.settings import Settings

log = structlog.get_logger(__name__)

OUR_TITLE = re.compile(r"^(teacher|student)-[0-9a-z]+-[0-9a-f]{6}$")


def rename_connections(job: Job, label_studio: LabelStudio, version: str) -> None:
    """Make `version` the title of our connections, and the project's model version where that followed the title.

    LabelStudioUnavailable if Label Studio refuses because it does not reach the backend at the moment.
    """
    if job.project.published == version:
        return
    settings = job.services.settings
    for connection in ours(label_studio.connections(job.number), settings.backend_url):
        if connection.get("title") == version:
            continue
        fields = {"title": version, **login_fields(settings)}
        try:
            label_studio.update_connection(int(connection["id"]), job.number, str(connection["url"]), **fields)
        except (LabelStudioRefused, LabelStudioUnavailable):
            raise
        except LabelStudioError as error:
            raise LabelStudioUnavailable(f"The connection's title could not be changed: {error}") from error
        log.info("title changed", old=connection.get("title"), new=version)
        _follow(label_studio, job.number, str(connection.get("title") or ""), version)
    projects.set_published(job.services.engine, job.number, version)


def _follow(label_studio: LabelStudio, project: int, old: str, version: str) -> None:
    """Label Studio moves the project's model version along by itself where it was the old title; an empty one is set,
    and anything else is the user's choice."""
    chosen = label_studio.project(project).get("model_version") or ""
    if chosen in ("", old):
        label_studio.update_project(project, model_version=version)


def ours(connections: Sequence[dict[str, Any]], backend_url: str) -> list[dict[str, Any]]:
    """The connections that lead to this backend: by address, or by a title that only we give."""
    return [
        connection
        for connection in connections
        if same_address(str(connection.get("url")), backend_url) or OUR_TITLE.match(str(connection.get("title")))
    ]


def at_address(rows: Iterable[dict[str, Any]], url: str) -> list[dict[str, Any]]:
    """The connections or webhooks that lead to an address."""
    return [row for row in rows if same_address(str(row.get("url")), url)]


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same but for a slash at the end."""
    return one.rstrip("/") == other.rstrip("/")


def login_fields(settings: Settings) -> dict[str, str]:
    """What a connection needs to pass our Basic auth: to be sent with every change, or Label Studio forgets it."""
    if not settings.BASIC_AUTH_USER:
        return {}
    password = settings.BASIC_AUTH_PASS.get_secret_value()
    return {"auth_method": "BASIC_AUTH", "basic_auth_user": settings.BASIC_AUTH_USER, "basic_auth_pass": password}
