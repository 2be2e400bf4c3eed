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
NOTHING_LEFT = "people have decided all tasks, and nothing is left to a student"


def some_promise(current: Current) -> Promise:
    """The project's promise, with or without a certificate; ProjectError says why there is none."""
    if current.options.TARGET_ERROR <= 0:
        raise ProjectError(
            f"project {current.number} asks for no promise: set TARGET_ERROR, for example 0.05, for it or for all"
        )
    if wrong := about.misnamed(current):
        raise ProjectError(f"no promise can be made: {wrong}")
    found = promises.get(current.engine, current.number)
    if found is None and promises.all_decided(current.engine, current.number):
        raise ProjectError(f"no promise is needed: {NOTHING_LEFT}")
    if found is None:
        raise ProjectError("no promise can be made yet: its audit begins once a student is served")
    return found


def certain_promise(current: Current) -> Promise:
    """The project's promise, if there is a certificate, whatever the options are now; ProjectError says what is
    missing."""
    made = promises.get(current.engine, current.number)
    if made is not None and made.certificate is not None:
        return made
    found = some_promise(current)
    why = "deciding all tasks is nearly as fast" if found.state == "given up" else "its audit is not complete"
    raise ProjectError(f"no promise can be made yet: {why}")


def check_wish(current: Current, wish: Wish) -> None:
    """ProjectError if there is nothing to finish, to undo or to begin. What was written can always be taken back,
    whatever the options are now."""
    promise = some_promise(current) if wish != "undo" else certain_promise(current)
    if wish in ("annotations", "predictions"):
        promise = certain_promise(current)
    if wish == "anew" and promise.state in ("auditing", "finished"):
        why = "undo that first" if promise.state == "finished" else "its looks are paid for"
        raise ProjectError(f"project {current.number} is {promise.state}: {why}")
    if wish == "undo" and promise.state != "finished":
        raise ProjectError(f"project {current.number} is not finished: there is nothing to undo")


def ask_to_finish(current: Current, wish: Wish) -> Outcome:
    """Note the wish and start the job. ProjectError as `check_wish`, QueueError without Redis."""
    check_wish(current, wish)
    promises.wish(current.engine, current.number, wish)
    return current.services.queue.enqueue("finish", current.number)
