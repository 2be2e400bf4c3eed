"""Ask for a pool to be finished, for that to be undone, or for another promise. For command line and pages."""

from __future__ import annotations

from typing import Literal, TypeAlias

from backend.errors import ProjectError
from backend.pool import promises
from backend.pool.promises import Promise
from backend.projects import promised_parts as about
from backend.projects.current import Current
from backend.queue.kinds import Outcome

Wish: TypeAlias = Literal["annotations", "predictions", "undo", "anew"]


def some_promise(current: Current) -> Promise:
    """The project's promise, with or without a certificate; ProjectError says why there is none."""
    if current.options.TARGET_ERROR <= 0:
        raise ProjectError(
            f"project {current.number} asks for no promise: set TARGET_ERROR, for example 0.05, for it or for all"
        )
    if wrong := about.misnamed(current):
        raise ProjectError(f"no promise can be made: {wrong}")
    found = promises.get(current.engine, current.number)
    if found is None:
        raise ProjectError("no promise can be made yet: its audit begins once a student is served")
    return found


def certain_promise(current: Current) -> Promise:
    """The project's promise, if there is a certificate; ProjectError says what is missing."""
    found = some_promise(current)
    if found.certificate is None:
        why = "deciding all tasks is nearly as fast" if found.state == "given up" else "its audit is not complete"
        raise ProjectError(f"no promise can be made yet: {why}")
    return found


def ask_to_finish(current: Current, wish: Wish) -> Outcome:
    """Note the wish and start the job. ProjectError if there is nothing to finish or to undo, QueueError without
    Redis."""
    promise = some_promise(current) if wish == "anew" else certain_promise(current)
    if wish == "anew" and promise.state in ("auditing", "finished"):
        why = "undo that first" if promise.state == "finished" else "its looks are paid for"
        raise ProjectError(f"project {current.number} is {promise.state}: {why}")
    if wish == "undo" and promise.state != "finished":
        raise ProjectError(f"project {current.number} is not finished: there is nothing to undo")
    promises.wish(current.engine, current.number, wish)
    return current.services.queue.enqueue("finish", current.number)
