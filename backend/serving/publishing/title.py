"""The title of our ML backend connection is the served version: only then do score column and sampling follow it."""

from __future__ import annotations

import structlog

from backend.errors import LabelStudioError, LabelStudioRefused, LabelStudioUnavailable
from backend.label_studio.client import LabelStudio
from backend.label_studio.connections import login_fields, ours
from backend.pool import projects
from backend.projects.job import Job

log = structlog.get_logger(__name__)


def rename_connections(job: Job, label_studio: LabelStudio, version: str) -> None:
    """Make `version` the title of our connections, and the project's model version where that followed the title.

    LabelStudioUnavailable if Label Studio refuses because it does not reach the backend at the moment.
    """
    if job.project.published == version:
        return
    settings = job.services.settings
    for connection in ours(label_studio.connections(job.label_studio_id), settings.backend_url):
        if connection.get("title") == version:
            continue
        fields = {"title": version, **login_fields(settings)}
        try:
            label_studio.update_connection(int(connection["id"]), job.label_studio_id, str(connection["url"]), **fields)
        except (LabelStudioRefused, LabelStudioUnavailable):
            raise
        except LabelStudioError as error:
            raise LabelStudioUnavailable(f"The connection's title could not be changed: {error}") from error
        log.info("title changed", old=connection.get("title"), new=version)
        _follow(label_studio, job.label_studio_id, str(connection.get("title") or ""), version)
    projects.set_published(job.services.engine, job.number, version)


def _follow(label_studio: LabelStudio, project: int, old: str, version: str) -> None:
    """Label Studio moves the project's model version along by itself where it was the old title; an empty one is set,
    and anything else is the user's choice."""
    chosen = label_studio.project(project).get("model_version") or ""
    if chosen in ("", old):
        label_studio.update_project(project, model_version=version)
