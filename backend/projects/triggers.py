"""Which event starts which job, and when. Events are hints: the reconciling job finds out what they missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import structlog

from backend.errors import ProjectError, QueueError
from backend.pool import jobs, projects, promises
from backend.pool.projects import Project
from backend.projects.current import Current, current_of
from backend.queue.kinds import Outcome
from backend.services import Services

log = structlog.get_logger(__name__)

WORTH_RETRAINING = 1.5  # so many times the candidate sets of the newest student are worth another training

Later = Callable[[str, Callable[[], object]], object]  # does a piece of work, named for the log, at its own time


@dataclass(frozen=True)
class Due:
    """Whether a training is due, and one sentence for people that says why or when."""

    due: bool
    explanation: str


def training_due(
    changes: int,
    trained_changes: int,
    *,
    changed_ms: int,
    now: int,
    retrain_after: int,
    idle_seconds: int,
    growth: float = 0.0,
    running: bool = False,
    paused: bool = False,
) -> Due:
    """Decide from counts and times alone.

    `changes` counts changed human labels ever, `trained_changes` is its value at the last training; `changed_ms` and
    `now` are UTC milliseconds. `growth` is the share of `trained_changes` that must be new, where that is more than
    `retrain_after`: the more is known, the less do a few labels add. A training that runs is never due: what changes
    meanwhile counts for the next one.
    """
    new = max(0, changes - trained_changes)
    if paused:
        return Due(False, f"the project is paused, nothing is trained until it is resumed; {_labels(new)} wait")
    if running:
        return Due(False, f"a training is under way; {_labels(new)} so far for the next one")
    if retrain_after == 0:
        return Due(False, f"training starts only on request; {_labels(new)} since the last one")
    enough = max(retrain_after, ceil(growth * trained_changes))
    if new >= enough:
        return Due(True, f"{_labels(new)} since the last training")
    silent = new > 0 and idle_seconds > 0
    if silent and _silent_ms(changed_ms, now, idle_seconds) >= idle_seconds * 1000:
        return Due(True, f"{_labels(new)} and then {idle_seconds} seconds of silence")
    sooner = f", or after {idle_seconds} seconds without a change" if silent else ""
    return Due(False, f"next training after {_labels(enough - new, 'more ')}{sooner}")


def next_training(current: Current) -> Due:
    """`training_due` for a project as it is now; ProjectError or SettingsError if its options are malformed."""
    options = current.options
    train = jobs.get(current.engine, current.number).get("train")
    return training_due(
        current.project.changes,
        current.project.trained_changes,
        changed_ms=current.project.changed_ms,
        now=current.services.clock(),
        retrain_after=options.RETRAIN_AFTER,
        idle_seconds=options.RETRAIN_IDLE_SECONDS,
        growth=options.RETRAIN_GROWTH,
        running=train is not None and train.state in ("queued", "running"),
        paused=current.paused,
    )


def silence_ends(current: Current) -> int | None:
    """When the present silence has lasted long enough for a training, in UTC milliseconds; None where it never does."""
    project, options = current.project, current.options
    if project.changes <= project.trained_changes or not options.RETRAIN_AFTER or not options.RETRAIN_IDLE_SECONDS:
        return None
    return project.changed_ms + 1000 * options.RETRAIN_IDLE_SECONDS


def on_human_labels(services: Services, project: int) -> Due:
    """Human labels changed in the pool: train if enough did."""
    row = _project(services, project)
    due = next_training(current_of(services, row))
    if due.due:
        _ask(services, "train", project)
    on_annotations(services, project)
    return due


def on_annotations(services: Services, project: int) -> None:
    """People said something, which may have changed no human label: of an audit that several people answer, the last
    one mostly says what the others have said. Look at it once all is decided."""
    row = _project(services, project)
    looked_at = bool(row.blind_to) and promises.nothing_is_asked(services.engine, project)
    if looked_at or promises.nearly_decided(services.engine, project):
        _ask(services, "publish", project)


def on_start_training(services: Services, project: int) -> Outcome:
    """Somebody pressed the button. QueueError if no job can be started, ProjectError if the project is paused."""
    row = _project(services, project)
    if current_of(services, row).paused:
        raise ProjectError(f"project {project} is paused: resume it first, with `shortlist resume {project}`")
    return services.queue.enqueue("train", project)


def on_label_config(services: Services, project: int) -> None:
    """The label space changed: ask the teacher where needed; the annotating job asks for the training after it."""
    _ask(services, "annotate", project)


def on_new_tasks(services: Services, project: int) -> None:
    """Tasks arrived without candidate sets."""
    _ask(services, "annotate", project)


def _ask(services: Services, kind: str, project: int) -> Outcome | None:
    """Enqueue; without Redis the pool remembers the wish, and the caller's answer must not depend on it.

    A paused project asks for nothing: what is missing is found when it is resumed.
    """
    row = projects.get(services.engine, project)
    if row is not None and current_of(services, row).paused:
        return None
    try:
        return services.queue.enqueue(kind, project)
    except QueueError as error:
        log.error("job not started", job=kind, project=project, error=str(error))
        return None


def _project(services: Services, project: int) -> Project:
    row = projects.get(services.engine, project)
    if row is None:
        raise ProjectError(f"project {project} is not known here: connect it first")
    return row


def _labels(number: int, more: str = "") -> str:
    return f"{number} {more}label{'' if number == 1 else 's'}"


def _silent_ms(changed_ms: int, now: int, idle_seconds: int) -> int:
    """Milliseconds without a change. A clock that was set far back must not stop trainings until it has caught up."""
    if changed_ms - now > idle_seconds * 1000:
        return idle_seconds * 1000
    return max(0, now - changed_ms)


def at_once(what: str, work: Callable[[], object]) -> None:
    """For callers that nobody waits for."""
    work()


def start(trigger: Any, project: int) -> None:
    """Call a trigger; without Redis nothing is lost, because the pool remembers what was asked for."""
    try:
        trigger()
    except QueueError as error:
        log.error("no job was started", project=project, reason=str(error))
