"""After a start on another port: connections of the embedded Label Studio follow to the new address."""

from __future__ import annotations

from pathlib import Path

from backend.commands.start.console import Console
from backend.label_studio.client import LabelStudio
from backend.label_studio.connections import at_address, login_fields, same_address, webhook_url
from backend.projects.connect import connect_project
from backend.settings import Settings

FILE = "backend-url"


def follow_address(label_studio: LabelStudio, settings: Settings, folder: Path, console: Console) -> None:
    """Where the address differs from that of the last start, put every connection to the old one right.

    Options and title of a connection stay; its webhook is made anew. `folder` remembers the address.
    """
    known, url = folder / FILE, settings.backend_url
    before = known.read_text().strip() if known.exists() else ""
    if before and not same_address(before, url):
        moved = [number for number in _project_ids(label_studio) if _move(label_studio, settings, number, before)]
        if moved:
            console.say(f"Shortlist moved from {before} to {url}: {len(moved)} connected projects follow")
    known.write_text(url)


def _project_ids(label_studio: LabelStudio) -> list[int]:
    return [int(project["id"]) for project in label_studio.projects()]


def _move(label_studio: LabelStudio, settings: Settings, project: int, before: str) -> bool:
    """Whether the project had a connection to the old address."""
    old = at_address(label_studio.connections(project), before)
    if not old:
        return False
    for hook in at_address(label_studio.webhooks(project), webhook_url(before)):
        label_studio.remove_webhook(int(hook["id"]))
    fields = {"title": old[0].get("title"), **login_fields(settings)}
    label_studio.update_connection(int(old[0]["id"]), project, settings.backend_url, **fields)
    for double in old[1:]:
        label_studio.remove_connection(int(double["id"]))
    connect_project(label_studio, settings, project)
    return True
