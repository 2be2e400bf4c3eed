"""Take this backend out of a project again, and forget a project."""

from __future__ import annotations

from backend.errors import ProjectError
from backend.label_studio.client import LabelStudio
from backend.label_studio.connections import at_address, ours, webhook_url
from backend.pool import projects
from backend.pool.projects import Project
from backend.projects.whereabouts import stated_project
from backend.queue.kinds import of_project
from backend.services import Services
from backend.settings import Settings


def disconnect_project(label_studio: LabelStudio, settings: Settings, project: Project) -> int:
    """Remove our connections and webhooks from a project of Label Studio; how many there were.

    Predictions and labels stay in Label Studio, and what is known about the project stays here. OtherLabelStudio if
    the number belongs to another project there.
    """
    stated_project(label_studio, project)
    number = project.label_studio_id
    connections = ours(label_studio.connections(number), settings.backend_url)
    hooks = at_address(label_studio.webhooks(number), webhook_url(settings.backend_url))
    for connection in connections:
        label_studio.remove_connection(int(connection["id"]))
    for hook in hooks:
        label_studio.remove_webhook(int(hook["id"]))
    return len(connections) + len(hooks)


def forget_project(services: Services, number: int) -> int:
    """Remove everything that is held about a project: tasks, labels, answers, figures, versions; how many of these.

    What was spent and the number of the last version stay: a budget goes on, and no version's name is used twice.
    ProjectError while one of its jobs runs. What LLMs answered is kept by question, without the texts, for other
    projects. Versions go first, so that a call that was interrupted can be repeated.
    """
    services.queue.ping()
    busy = [kind for kind in of_project() if services.queue.place(kind, number) == "running"]
    if busy:
        raise ProjectError(f"a job of project {number} is under way ({', '.join(busy)}): try again when it has ended")
    for kind in of_project():
        services.queue.cancel(kind, number)
    registry = services.registry
    found = registry.versions(number)
    for version in found:
        registry.delete(number, version)
    projects.remove(services.engine, number)
    return len(found)
