"""The checks of one project: label config, connection, webhook, served version, jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backend.commands.doctor.findings import Finding, examine, failure, good, warning
from backend.commands.doctor.installation import is_private, teacher_finding
from backend.errors import (
    AddressBlocked,
    LabelStudioError,
    LabelStudioRefused,
    OtherLabelStudio,
    SettingsError,
    at_command_line,
)
from backend.label_studio.client import LabelStudio
from backend.label_studio.connections import at_address, ours, same_address, webhook_headers, webhook_url
from backend.label_studio.label_config import read_project_config
from backend.label_studio.verdict import sentences
from backend.pool import jobs, version_names
from backend.pool.projects import Project
from backend.projects.current import current_of
from backend.projects.frequencies import unsaid
from backend.projects.ticks import contradiction
from backend.projects.whereabouts import stated_project
from backend.reporting.status import left_out
from backend.reporting.wording import left_out_words
from backend.services import Services

SWITCHES = "Start Label Studio with ML_BLOCK_LOCAL_IP=0 and SSRF_PROTECTION_ENABLED=0"
AGAIN = "Connect it again: `shortlist connect {project}`"


def examine_project(
    services: Services, label_studio: LabelStudio, project: Project, *, thorough: bool = False
) -> Iterator[Finding]:
    """What is wrong with a project that the pool knows. `thorough` loads its student."""
    name = f"Project {project.project}"
    try:
        stated = stated_project(label_studio, project)
        connections = label_studio.connections(project.label_studio_id)
        hooks = label_studio.webhooks(project.label_studio_id)
    except OtherLabelStudio as error:
        yield warning(
            name, str(error), f"If it is not needed any more: `shortlist disconnect {project.project} --forget`"
        )
        return
    except LabelStudioRefused as error:
        yield warning(name, str(error), "If it was deleted in Label Studio, nothing is to be done")
        return
    except LabelStudioError as error:
        yield failure(name, str(error), "Check that Label Studio runs")
        return
    again = AGAIN.format(project=project.label_studio_id)
    change = "Change the label config in Label Studio"
    yield examine(f"{name}: label config", change, lambda: _config(services, project, stated))
    yield from _teacher(services, project)
    yield _connection(services, project, connections, again)
    yield _webhook(services, label_studio, project, hooks, again)
    yield examine(f"{name}: version", again, lambda: _version(services, project, stated, connections))
    yield examine(f"{name}: student", "Train again: `shortlist train`", lambda: _student(services, project, thorough))
    yield from _data(services, project)
    yield from _jobs(services, project)


def _config(services: Services, project: Project, stated: Mapping[str, Any]) -> Finding:
    current = current_of(services, project)
    control = read_project_config(str(stated.get("label_config") or ""), current.options, project.former)
    check, told = f"Project {project.project}: label config", sentences(control, at_command_line)
    if any(entry.asks for entry in control.left) or (control.advice and not control.guessed):
        remedy = f"Nothing, if that is meant so; options go to `shortlist connect {project.project}`"
        return warning(check, ". ".join(told), remedy)
    return good(check, ". ".join([*told[: len(control.questions)], *unsaid(current)]))


def _data(services: Services, project: Project) -> Iterator[Finding]:
    current = current_of(services, project)
    for problem in [*left_out_words(left_out(current)), *filter(None, [contradiction(current)])]:
        yield warning(f"Project {project.project}: data", problem, "Nothing, if that is meant so")


def _teacher(services: Services, project: Project) -> Iterator[Finding]:
    """Where the project has a teacher of its own."""
    check, settings = f"Project {project.project}: teacher", services.settings
    try:
        options = current_of(services, project).options
    except SettingsError as error:
        yield failure(check, str(error), AGAIN.format(project=project.label_studio_id) + " with the option put right")
        return
    if options.TEACHER != settings.TEACHER:
        yield teacher_finding(settings, check, options.TEACHER, options.BUDGET_USD)


def _connection(services: Services, project: Project, connections: Sequence[dict[str, Any]], again: str) -> Finding:
    check, url = f"Project {project.project}: connection", services.settings.backend_url
    mine = ours(connections, url)
    if not mine:
        return failure(check, f"no ML backend of the project leads to {url}", again)
    if len(mine) > 1:
        return failure(check, f"{len(mine)} connections lead here: each starts trainings", again)
    first = mine[0]
    if not same_address(str(first.get("url")), url):
        what = f"Label Studio calls {first.get('url')}, BACKEND_URL says {url}"
        return warning(check, what, "Set BACKEND_URL to the address that Label Studio uses")
    if connections[0] is not first:
        what = f"{connections[0].get('title')!r} is connected before Shortlist, so that only it is asked"
        return failure(check, what, "Remove the other ML backend in Settings, Model")
    return _reached(check, first, again)


def _reached(check: str, connection: Mapping[str, Any], again: str) -> Finding:
    """What Label Studio itself says about the connection, which it has just tried."""
    problem = str(connection.get("error_message") or "")
    if "reserved network address" in problem:
        return failure(check, f"Label Studio refuses the private address {connection.get('url')}", SWITCHES)
    if connection.get("state") not in (None, "CO"):
        return failure(check, f"state {connection.get('readable_state')}: {problem or 'no answer'}", again)
    return good(check, f"Label Studio reaches {connection.get('url')}")


def _webhook(
    services: Services, label_studio: LabelStudio, project: Project, hooks: Sequence[dict[str, Any]], again: str
) -> Finding:
    """Present, active and authorised. Saving it unchanged tells whether Label Studio allows its address."""
    check, settings = f"Project {project.project}: webhook", services.settings
    url = webhook_url(settings.backend_url)
    mine = at_address(hooks, url)
    problem = _hook_problem(mine, url, webhook_headers(settings).get("Authorization"))
    if problem:
        return failure(check, problem, again)
    if is_private(settings.backend_url):
        try:
            label_studio.set_webhook(project.label_studio_id, url, mine[0].get("headers") or {})
        except AddressBlocked:
            return failure(check, f"Label Studio refuses the private address {url}", SWITCHES)
        except LabelStudioError as error:
            return warning(check, f"it could not be tried: {error}", "Check that Label Studio runs")
    return good(check, "present, authorised, and its address is allowed")


def _hook_problem(mine: Sequence[Mapping[str, Any]], url: str, login: str | None) -> str:
    if not mine:
        return f"there is none to {url}: labels reach Shortlist only by comparing"
    if not mine[0].get("is_active") or not mine[0].get("send_payload"):
        return "it is switched off or sends no content"
    if (mine[0].get("headers") or {}).get("Authorization") != login:
        return "it does not carry the login of BASIC_AUTH_USER: its events are refused"
    return ""


def _version(
    services: Services, project: Project, stated: Mapping[str, Any], connections: Sequence[dict[str, Any]]
) -> Finding:
    check, served = f"Project {project.project}: version", current_of(services, project).served_version
    switch = f"run `shortlist connect {project.project} --show`"
    if not stated.get("show_collab_predictions", True):
        remedy = f"Switch on Settings, Annotation, Use predictions to prelabel tasks, or {switch}"
        return failure(check, "the project hides predictions", remedy)
    titles = [str(row.get("title")) for row in ours(connections, services.settings.backend_url)]
    chosen = str(stated.get("model_version") or "")
    again = AGAIN.format(project=project.label_studio_id)
    if titles and served not in titles:
        return warning(check, f"{served} is served, but the connection is called {titles[0]}", again)
    if chosen != served:
        what = f"the project shows {chosen or 'no predictions'}, served is {served}"
        return warning(check, what, f"To switch {switch}, or leave it if that is meant so")
    return good(check, f"{served} is served and shown")


def _student(services: Services, project: Project, thorough: bool) -> Finding:
    """Its files match their checksums, or, thoroughly, it loads. `/ready` tells of the one in the web server."""
    check, served = f"Project {project.project}: student", current_of(services, project).served_version
    if version_names.is_teacher(served):
        return good(check, "none is served yet")
    folder = services.registry.fetch(project.project, served)
    if thorough:
        from model.loading import load_version

        return good(check, f"{served} loads ({load_version(folder).kind})")
    from model.student.artifact import read_description

    return good(check, f"{served} is complete ({read_description(folder)['kind']})")


def _jobs(services: Services, project: Project) -> Iterator[Finding]:
    for kind, row in sorted(jobs.get(services.engine, project.project).items()):
        if row.state == "failed":
            check, error = f"Project {project.project}: {kind} job", str(row.error)
            anew = f"`shortlist {kind} {project.project}`" if kind in ("annotate", "train") else "Retry on its page"
            repeated = "tried again by itself" in error
            yield failure(check, error, "Nothing, if that passes" if repeated else f"Repair the cause, then {anew}")
