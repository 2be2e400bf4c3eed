"""What commands share: the project that was named, a job that is asked for and followed, output for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from backend.commands.instance import instance_settings
from backend.errors import ProjectError, ShortlistError

if TYPE_CHECKING:
    from backend.pool.projects import Project
    from backend.services import Services

POLL_SECONDS = 0.5


def open_project(number: int) -> tuple[Services, Project]:
    """The services and one project; ProjectError names the known ones if it is not among them."""
    from backend.pool import projects
    from backend.services import open_services, require_pool

    settings = instance_settings()
    require_pool(settings)
    services = open_services(settings)
    project = projects.get(services.engine, number)
    if project is None:
        known = [f"{row.project} ({row.title})" for row in projects.all_projects(services.engine)]
        others = f"known are {', '.join(known)}" if known else "none is connected yet"
        place = services.engine.url.render_as_string(hide_password=True)
        raise ProjectError(
            f"project {number} is unknown in {place}; {others}; connect it with `shortlist connect {number}`"
        )
    for other in projects.namesakes(services.engine, project):
        what = f"project {other.label_studio_id} of {other.instance or 'another Label Studio'}"
        typer.echo(f"Project {number} is {project.title!r}; {what}, {other.title!r}, is {other.project} here", err=True)
    return services, project


def show_json(content: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


def ask_for(kind: str, number: int, *, wait: bool, as_json: bool) -> None:
    """Ask for a job of a project; with `wait`, show its progress until it ends. ShortlistError if it fails."""
    services, project = open_project(number)
    if not services.queue.workers():
        typer.echo("No worker is running: the job waits until `shortlist worker` is started", err=True)
    outcome = services.queue.enqueue(kind, number)
    said = {"queued": "is queued", "joined": "waits already", "again": "is running and will run once more"}
    if wait:
        done = follow(services, kind, number, quiet=as_json)
    if as_json:
        show_json({"project": number, "kind": kind, "outcome": outcome, "state": done if wait else outcome})
    elif wait:
        typer.echo(f"Project {number} ({project.title}): {kind} finished. {done}".rstrip())
    else:
        page = f"{services.settings.backend_url}/projects/{number}"
        typer.echo(f"Project {number} ({project.title}): {kind} {said[outcome]}; see {page}, or wait here with --wait")


def follow(services: Services, kind: str, number: int, *, quiet: bool) -> str:
    """Wait for the end of a job, its steps on stderr (a bar on a terminal); its last step.

    Raises ShortlistError with the job's reason if it fails.
    """
    from backend.pool import jobs

    with steps(quiet=quiet) as show:
        while True:
            row = jobs.get(services.engine, number).get(kind)
            if row is not None and row.state == "failed":
                raise ShortlistError(f"{kind} of project {number} failed: {row.error}")
            if row is not None and row.state == "idle":
                return row.step
            if row is not None and row.step:
                show(row.step, row.progress)
            time.sleep(POLL_SECONDS)


@contextmanager
def steps(*, quiet: bool = False) -> Iterator[Callable[[str, float | None], None]]:
    """A function that shows a step and its progress in [0, 1]: a bar that moves on a terminal, else a line per step."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("waiting for a worker", total=None)
        last = ""

        def show(step: str, progress: float | None) -> None:
            nonlocal last
            bar.update(task, description=step, completed=progress or 0.0, total=None if progress is None else 1.0)
            line = step if progress is None else f"{progress:4.0%} {step}"
            if line != last and bar.disable and not quiet:
                typer.echo(f"  {line}", err=True)
                last = line

        yield show


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that a function `(done, total)` moves; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
