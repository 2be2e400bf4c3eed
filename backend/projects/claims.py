"""What somebody says is gone or different at Label Studio: nothing of it counts before Label Studio was asked."""

from __future__ import annotations

import structlog

from backend.pool import comparisons, incidents, projects
from backend.projects.triggers import start
from backend.services import Services
from backend.settings import Settings

log = structlog.get_logger(__name__)

CANNOT_ASK = (
    "Label Studio is said to have deleted or changed something, but it cannot be asked, so that nothing was taken away "
    "here. Set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY."
)
LOST = (
    "Events of Label Studio could not be worked through. Everything is compared with Label Studio instead; only a "
    "click on Start training may have to be repeated."
)


def can_ask(settings: Settings) -> bool:
    """Whether Label Studio's address and a key are set."""
    return bool(settings.LABEL_STUDIO_URL and settings.LABEL_STUDIO_API_KEY.get_secret_value())


def ask_back(services: Services, project: int, everything: bool = False) -> None:
    """Compare the project with Label Studio soon, with `everything` all ids, too; people are told where that cannot be
    done."""
    if not can_ask(services.settings):
        log.warning("not believed, and Label Studio cannot be asked", project=project)
        incidents.note(services.engine, project, "", CANNOT_ASK)
        return
    comparisons.ask(services.engine, project, services.clock(), everything)
    start(lambda: services.queue.enqueue("sync", project), project)


def tell_lost(services: Services, project: int) -> None:
    """Events were answered that nobody will work through: people are told, and a full comparison makes up for it."""
    if projects.get(services.engine, project) is None:
        return
    incidents.note(services.engine, project, "", LOST)
    if can_ask(services.settings):
        ask_back(services, project, everything=True)
