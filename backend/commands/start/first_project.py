"""The sample project, from its import to its last shortlist, with visible progress."""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.commands.start.console import Console
from backend.commands.start.plan import Sample
from backend.commands.start.sample.file import SampleFile
from backend.commands.start.sample.importing import NAMED_BAD_ROWS, Imported, import_sample
from backend.label_studio.client import LabelStudio
from backend.settings import Settings
from backend.web.server import reachable

if TYPE_CHECKING:
    from backend.projects.connect import Connected

POLL_SECONDS = 2.0
STILL_SECONDS = 20.0  # without a job and without progress for so long, there is nothing to wait for
IMPORT_SECONDS = 600.0


Connect = Callable[[LabelStudio, Settings, int], "Connected"]


def bring_in_sample(
    sample: Sample,
    settings: Settings,
    folder: Path,
    console: Console,
    stopping: threading.Event,
    *,
    connect: Connect,
    web: str = "",
) -> Imported | None:
    """Import and connect the sample, then wait until its tasks have shortlists; None if it was deleted on purpose.

    `web`: where the web server is; here, unless something else is said.
    """
    web = web or f"http://{reachable(settings.HOST)}:{settings.PORT}"
    if not sample.shipped:
        report_reading(sample.file, console, sample.by_people)
        if sample.outside:
            console.say(f"  {sample.outside} texts have labels that are not among the project's; these are left out")
    key = settings.LABEL_STUDIO_API_KEY.get_secret_value()
    with LabelStudio(settings.LABEL_STUDIO_URL, key, IMPORT_SECONDS) as label_studio:
        imported = import_sample(
            label_studio,
            sample.file,
            sample.space,
            folder,
            lambda done, total: console.progress(f"Importing: {done} of {total} texts"),
            sample.by_people,
        )
        if imported is None:
            console.say("The sample project was deleted in Label Studio; SAMPLE=<file> makes a new one of your texts")
            return None
        if imported.added:
            console.say(f"Imported {imported.added} texts into project {imported.project} {imported.title!r}")
        number = connect(label_studio, settings, imported.project).project
        console.say(f"Connected project {imported.project} with Shortlist")

        def counts() -> tuple[int, int]:
            project = label_studio.project(imported.project)
            return int(project.get("total_predictions_number") or 0), int(project.get("task_number") or 0)

        status = partial(_status, web, settings, number)
        follow(counts, status, console, stopping, new=imported.added > 0)
    return imported


def follow(
    counts: Callable[[], tuple[int, int]],
    status: Callable[[], dict[str, Any]],
    console: Console,
    stopping: threading.Event,
    poll_seconds: float = POLL_SECONDS,
    new: bool = False,
) -> None:
    """Show how many tasks have a shortlist until all have one, a job fails, or nothing moves any more.

    `counts` tells how many predictions and tasks Label Studio holds, `status` what Shortlist says about the project.
    Where all have one at the first look, that is said only of a `new` project.
    """
    started, best, moved = time.monotonic(), -1, time.monotonic()
    stored, tasks = counts()
    if stored >= tasks:
        if new:
            console.say(f"Pre-annotated: {tasks} texts have a shortlist")
        return
    while not stopping.is_set():
        state = status()
        job = state.get("job") or {}
        thought = max(int(state.get("with_candidates") or 0), stored)
        console.progress(f"Pre-annotating: {thought} of {tasks} texts have a shortlist, {stored} are in Label Studio")
        moving = (
            not state or thought + stored > best or job.get("state") in ("running", "queued")
        )  # {}: nobody can tell
        if moving:
            best, moved = max(best, thought + stored), time.monotonic()
        if job.get("state") == "failed":
            console.say(f"Pre-annotation stopped: {job['error']}")
            return
        if not moving and time.monotonic() - moved > STILL_SECONDS:
            console.say(f"{stored} of {tasks} texts have a shortlist; no job is under way for the others")
            return
        stopping.wait(poll_seconds)
        before, (stored, tasks) = stored, counts()
        if stored and not before:
            console.say(f"First shortlists are in Label Studio ({time.monotonic() - started:.0f} s after connecting)")
        if stored >= tasks:
            console.say(f"Pre-annotated: {tasks} texts have a shortlist ({time.monotonic() - started:.0f} s)")
            return


def _status(web: str, settings: Settings, project: int) -> dict[str, Any]:
    """The project as Shortlist's own status page tells it; empty while it does not answer."""
    request = urllib.request.Request(f"{web}/projects/{project}.json")
    if settings.BASIC_AUTH_USER:
        login = f"{settings.BASIC_AUTH_USER}:{settings.BASIC_AUTH_PASS.get_secret_value()}"
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            content = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def report_reading(sample: SampleFile, console: Console, by_people: bool = False) -> None:
    """Say what was found in a file of the user's own: columns, and every row that is left out (the first ten)."""
    columns = sample.columns
    console.say(
        f"Sample: {len(sample.rows)} texts from column {columns.text!r} ({columns.reason}) of {sample.path.name}"
    )
    if columns.label:
        use = "become annotations by people" if by_people else "are kept for comparison only; no model sees them"
        console.say(f"  labels of column {columns.label!r} {use}")
    for note in sample.notes:
        console.say(f"  {note}")
    for bad in sample.bad[:NAMED_BAD_ROWS]:
        console.say(f"  {bad}")
    if len(sample.bad) > NAMED_BAD_ROWS:
        rest = ", ".join(str(bad.line) for bad in sample.bad[NAMED_BAD_ROWS:][:50])
        console.say(f"  {len(sample.bad) - NAMED_BAD_ROWS} more lines skipped for such reasons: {rest}")
