"""What `shortlist start` tells people once everything runs: addresses, login, and what to do next."""

from __future__ import annotations

from pathlib import Path

from backend.commands.start.label_studio import EmbeddedLabelStudio
from backend.commands.start.sample.importing import Imported
from backend.settings import Settings
from model.teacher.choice import OFFLINE, title_of


def welcome(
    settings: Settings, label_studio: EmbeddedLabelStudio | None, imported: Imported | None, data: Path
) -> list[str]:
    """The lines, for a terminal."""
    lines = ["", *(_with_project(settings, label_studio, imported, data) if label_studio else _alone(settings))]
    return [*lines, "", f"Logs: {data / 'logs'}. Ctrl-C stops everything; the next start goes on where you left off."]


def facts(
    settings: Settings, label_studio: EmbeddedLabelStudio | None, imported: Imported | None, data: Path
) -> dict[str, object]:
    """The same for programs; the login is in the file `credentials`."""
    return {
        "shortlist": settings.backend_url,
        "label_studio": label_studio.url if label_studio else settings.LABEL_STUDIO_URL or None,
        "credentials": str(data / "label-studio/credentials.json") if label_studio else None,
        "project": imported.project if imported else None,
        "teacher": settings.TEACHER,
        "logs": str(data / "logs"),
    }


def _with_project(
    settings: Settings, label_studio: EmbeddedLabelStudio, imported: Imported | None, data: Path
) -> list[str]:
    project = f"/projects/{imported.project}/data" if imported else ""
    login = label_studio.credentials
    return [
        f"Label Studio  {label_studio.url}{project}",
        f"  login       {login.user}   password {login.password}   (kept in {data / 'label-studio/credentials.json'})",
        f"Shortlist     {settings.backend_url}/projects",
        f"Teacher       {_teacher(settings)}",
        "",
        *next_steps(settings, imported),
        "  Your own texts: make run SAMPLE=<file.csv, .xlsx or .jsonl> makes a project of them.",
    ]


def next_steps(settings: Settings, imported: Imported | None) -> list[str]:
    """What a person does first in Label Studio."""
    return [
        "What to do next",
        "  1. Open Label Studio and log in." + ("" if imported else " Open a project."),
        '  2. Press "Label All Tasks". The ticked labels are a shortlist: leave the right one ticked, then submit.',
        f"  3. {_training(settings)}",
    ]


def _alone(settings: Settings) -> list[str]:
    lines = [
        f"Shortlist     {settings.backend_url}",
        f"Teacher       {_teacher(settings)}",
        "",
        "What to do next",
        f"  In Label Studio open your project's Settings, Model, Connect Model, and enter {settings.backend_url}.",
    ]
    if not settings.LABEL_STUDIO_URL or not settings.LABEL_STUDIO_API_KEY.get_secret_value():
        lines.append("  LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are not set; training needs them.")
    return lines


def _teacher(settings: Settings) -> str:
    instead = "; TEACHER=openai:<model> or anthropic:<model> takes an LLM" if settings.TEACHER in OFFLINE else ""
    return f"{title_of(settings.TEACHER)}{instead}"


def _training(settings: Settings) -> str:
    if settings.RETRAIN_AFTER == 0:
        return (
            'Press "Start training" under Settings, Model when enough is labelled: then a small model ticks one label.'
        )
    return f"After {settings.RETRAIN_AFTER} decisions a small model trains by itself; from then on it ticks one label."
