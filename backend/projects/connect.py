"""Register this backend with a project of Label Studio: connection, webhook with login, title, options, first jobs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from backend.errors import (
    AddressBlocked,
    LabelStudioError,
    LabelStudioRefused,
    QueueError,
    at_command_line,
)
from backend.label_studio.client import LabelStudio
from backend.label_studio.connections import login_fields, ours, same_address, webhook_headers, webhook_url
from backend.label_studio.fields import created_of
from backend.label_studio.http import BLOCKED
from backend.label_studio.templates import explanation
from backend.label_studio.verdict import concerns
from backend.pool import projects
from backend.pool.projects import Project
from backend.projects import stream, ticks
from backend.projects.current import Current, current_of
from backend.projects.frequencies import unsaid
from backend.projects.on_screen import instead, is_ours, remember_on_screen, show_ours
from backend.projects.teacher_check import lacking
from backend.projects.updates import KEEP, remember, remember_instructions
from backend.services import Services, open_services
from backend.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Connected:
    """What `connect` did: `project` is its number here, `notes` are sentences about what still needs a person. `shows`
    is the version whose predictions the project shows, "" for none; `switch` whether it could show ours instead."""

    project: int
    title: str
    url: str
    version: str
    connection: int
    webhook: int
    notes: tuple[str, ...] = ()
    shows: str = ""
    switch: bool = False

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return dataclasses.asdict(self)


def connect_project(
    label_studio: LabelStudio,
    settings: Settings,
    project: int,
    overrides: Mapping[str, object] | None = None,
    *,
    show: bool = False,
) -> Connected:
    """Connect a project, or put an existing connection right; may be repeated at any time.

    `overrides` change the connection's `extra_params`, an empty value takes one away; None keeps all. `show`: the
    project shows our predictions from now on, whatever its owner chose before. Raises
    LabelingConfigError if the label config is not supported, SettingsError for a wrong option, AddressBlocked and other
    LabelStudioErrors.
    """
    services = open_services(settings)
    try:
        return _connect(services, label_studio, project, overrides, show)
    finally:
        services.engine.dispose()


def _connect(
    services: Services, label_studio: LabelStudio, number: int, overrides: Mapping[str, object] | None, show: bool
) -> Connected:
    settings = services.settings
    stated = _stated(label_studio, number)
    existing = label_studio.connections(number)
    mine = ours(existing, settings.backend_url)
    answer, meant = ("", []) if mine else ticks.meant(services, label_studio, number, stated, overrides or {})
    if answer:
        overrides = {**(overrides or {}), "ANSWER": answer}
    overrides = _merged(overrides, mine)
    given = _options(overrides, mine)
    title = str(stated.get("title") or "")
    config = str(stated.get("label_config") or "")
    known = remember(services, number, created_of(stated), config, extra_params=given, title=title)
    known = remember_instructions(current_of(services, known), stated)
    version = current_of(services, known).served_version
    connection = _one_connection(services, label_studio, number, version, overrides, existing)
    hook = _webhook(label_studio, settings, number, connection)
    if show:
        show_ours(label_studio, number, version)
    else:
        _show(label_studio, number, stated, existing, version)
    projects.set_published(services.engine, known.project, version)
    projects.set_elsewhere(services.engine, known.project, False)
    now = current_of(services, dataclasses.replace(known, published=version))
    now = remember_on_screen(now, label_studio.project(number))
    shows, switch = now.project.on_screen or "", not is_ours(now, version)
    notes = [*_renumbered(services, known), *([instead(number, shows, version)] if switch else [])]
    notes += concerns(current_of(services, known).control, at_command_line)
    if stream.wanted(now.options) and stream.by_score(label_studio, number, stated):
        notes.append(stream.FOLLOWS)
    notes += [*_foreign(existing, settings), *_explain(services, label_studio, known, stated)]
    notes += [*meant, *unsaid(now), *_teacherless(current_of(services, known)), *_start_jobs(services, known.project)]
    ids = int(connection["id"]), int(hook["id"])
    return Connected(known.project, title, settings.backend_url, version, *ids, tuple(notes), shows, switch)


def _stated(label_studio: LabelStudio, number: int) -> dict[str, Any]:
    try:
        return label_studio.project(number)
    except LabelStudioRefused as error:
        raise LabelStudioRefused(
            f"{label_studio.url} has no project {number} that this key may see ({error}); `shortlist connect` lists "
            "those that it may"
        ) from error


def _options(overrides: Mapping[str, object] | None, found: Sequence[Mapping[str, Any]]) -> object:
    if overrides is not None:
        return dict(overrides)
    return found[0].get("extra_params") if found else KEEP


def _merged(changes: Mapping[str, object] | None, found: Sequence[Mapping[str, Any]]) -> Mapping[str, object] | None:
    """All options of the connection after these changes; None: nothing was to be changed."""
    if changes is None:
        return None
    return {name: value for name, value in {**_kept(found), **changes}.items() if value != ""}


def _kept(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The options that a connection carries."""
    kept = found[0].get("extra_params") if found else None
    if isinstance(kept, str):
        try:
            kept = json.loads(kept)
        except ValueError:
            kept = None
    return dict(kept) if isinstance(kept, Mapping) else {}


def connection_options(label_studio: LabelStudio, settings: Settings, project: int) -> dict[str, Any]:
    """The options that a project's connection to this backend carries; {} where there is none."""
    return _kept(ours(label_studio.connections(project), settings.backend_url))


def _one_connection(
    services: Services,
    label_studio: LabelStudio,
    project: int,
    version: str,
    overrides: Mapping[str, object] | None,
    existing: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Exactly one connection to this backend: the oldest is put right, doubles and half-made ones are removed."""
    settings = services.settings
    fields: dict[str, object] = dict(login_fields(settings))
    if overrides is not None:
        fields["extra_params"] = dict(overrides)
    mine = sorted(ours(existing, settings.backend_url), key=lambda row: int(row["id"]))
    for double in mine[1:]:
        label_studio.remove_connection(int(double["id"]))
    if mine:
        fields["title"] = version
        return label_studio.update_connection(int(mine[0]["id"]), project, settings.backend_url, **fields)
    try:
        return label_studio.add_connection(project, settings.backend_url, version, fields)
    except LabelStudioError:
        _remove_half_made(label_studio, project, settings.backend_url)
        raise


def _remove_half_made(label_studio: LabelStudio, project: int, backend_url: str) -> None:
    """A refused connection may have been saved all the same."""
    try:
        for connection in label_studio.connections(project):
            if same_address(str(connection.get("url")), backend_url):
                label_studio.remove_connection(int(connection["id"]))
    except LabelStudioError as error:
        log.warning("a half-made connection may be left", project=project, reason=str(error))


def _webhook(
    label_studio: LabelStudio, settings: Settings, project: int, connection: Mapping[str, Any]
) -> dict[str, Any]:
    """One webhook with our login; those of an address that the connection had before are removed."""
    url = webhook_url(settings.backend_url)
    try:
        hook = label_studio.set_webhook(project, url, webhook_headers(settings))
    except AddressBlocked:
        label_studio.remove_connection(int(connection["id"]))
        raise AddressBlocked(BLOCKED.format(address=url)) from None
    return hook


def _show(
    label_studio: LabelStudio,
    project: int,
    stated: Mapping[str, Any],
    existing: Sequence[Mapping[str, Any]],
    version: str,
) -> None:
    """Let the project show our predictions, unless its owner chose other ones."""
    chosen = label_studio.project(project).get("model_version") or ""
    before = {str(connection.get("title")) for connection in existing} | {str(stated.get("model_version") or "")}
    if chosen != version and (chosen == "" or (chosen in before and not _stored_version(stated, existing))):
        label_studio.update_project(project, model_version=version)


def _stored_version(stated: Mapping[str, Any], existing: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the project's owner chose stored predictions rather than a live model."""
    chosen = str(stated.get("model_version") or "")
    return bool(chosen) and chosen not in {str(connection.get("title")) for connection in existing}


def _renumbered(services: Services, known: Project) -> list[str]:
    """Where projects of several Label Studios have the same number."""
    if known.project == known.label_studio_id:
        return []
    others = "; ".join(f"{row.project} is {row.title!r}" for row in projects.namesakes(services.engine, known))
    told = f"; {others}" if others else ""
    return [
        f"Another Label Studio's project was here with the number {known.label_studio_id}: this one is {known.project} "
        f"in pages and commands{told}. What was spent before counts against its budget, too"
    ]


def _foreign(existing: Sequence[dict[str, Any]], settings: Settings) -> list[str]:
    mine = {int(row["id"]) for row in ours(existing, settings.backend_url)}
    others = [str(row.get("title") or row.get("url")) for row in existing if int(row["id"]) not in mine]
    if not others:
        return []
    return [f"The project has another ML backend ({others[0]}); Label Studio asks only the first: remove that one"]


def _explain(services: Services, label_studio: LabelStudio, known: Project, stated: Mapping[str, Any]) -> list[str]:
    """Tell annotators what ticks mean, where the project's instructions are empty; else ask the owner to do it."""
    control = current_of(services, known).control
    flags = any(question.off for question in control.questions)
    told = explanation(control.multiple, control.space.several, bool(control.space.questions), flags)
    written = str(stated.get("expert_instruction") or "").strip()
    if not written:
        label_studio.update_project(known.label_studio_id, expert_instruction=told, show_instruction=True)
    elif told not in written and "shortlist" not in written.lower():
        return [f"The project has labelling instructions of its own; add what ticks mean: {told}"]
    return []


def _teacherless(current: Current) -> list[str]:
    lack = lacking(current.settings, current.options.TEACHER)
    return [] if lack is None else [f"The teacher cannot be asked: {lack.what}. {lack.remedy}"]


def _start_jobs(services: Services, project: int) -> list[str]:
    try:
        services.queue.enqueue("sync", project)
        services.queue.enqueue("annotate", project)
        if not services.queue.workers():
            return ["No worker is running, so nothing is computed yet: start one with `shortlist worker`"]
    except QueueError as error:
        return [f"The first jobs wait until Redis is back: {error}"]
    return []
