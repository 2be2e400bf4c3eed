"""Events on their way to the pool: kept until they are worked through, or told as lost.

What arrives while the pool is busy is written together. While the database is away, in a deadlock or out of room,
events wait and are tried again; if the process is killed, the next one finds them in the journal.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import exc

from backend.label_studio.fields import identifier
from backend.web.background import LONGEST_QUEUE, Background
from backend.web.events import Body
from backend.web.journal import Journal

log = structlog.get_logger(__name__)

LARGEST_BATCH = 200  # events that are written in one transaction
TOGETHER = {"ANNOTATION_CREATED", "ANNOTATION_UPDATED"}  # one annotation and one task each
PAUSES = (0.05, 0.2, 1.0, 2.0, 5.0, 10.0)  # seconds before events are tried again, the last one ever after
TRIES_TOGETHER = 2  # then each by itself: one of them may be the cause
TRIES = 8  # of one event, if the database takes at least the note that it is lost
HOPELESS = (exc.DataError, exc.ProgrammingError, exc.NotSupportedError)  # another try says the same


@dataclass(eq=False)
class _Waiting:
    """An event, or with no `body` the project of events that were dropped."""

    body: dict[str, Any] | None
    project: int | None
    failures: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class Inbox:
    """Hands events to `handle` in the order of arrival, in the background thread; those that cannot be handled have
    their project handed to `lost`, which tells people and makes up for it."""

    def __init__(
        self,
        background: Background,
        handle: Callable[[Body], None],
        lost: Callable[[int], None],
        journal: Journal,
        longest: int = LONGEST_QUEUE,
    ) -> None:
        self._background, self._handle, self._lost, self._journal = background, handle, lost, journal
        self._longest = longest
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._at_work = False
        self._dropped: set[int] = set()  # projects of which it is waiting to be told
        self._failed = 0  # rounds in a row that the database did not take

    def recover(self) -> None:
        """Take in what processes that were killed had answered."""
        for entry in self._journal.left_behind():
            body = entry.get("event")
            self._put(_Waiting(body if isinstance(body, dict) else None, identifier(entry.get("project"))))

    def take(self, body: dict[str, Any], wait_seconds: float) -> bool:
        """Accept an event and wait for at most so long until it is handled; whether it is."""
        taken = _Waiting(body, _project(body))
        if len(self._waiting) >= self._longest:
            log.error("event dropped, too many are waiting", action=str(body.get("action"))[:40])
            if taken.project is None or taken.project in self._dropped:
                return False
            self._dropped.add(taken.project)
            taken = _Waiting(None, taken.project)
        self._put(taken)
        return wait_seconds > 0 and taken.over.wait(wait_seconds)

    def _put(self, taken: _Waiting) -> None:
        with self._lock:
            self._journal.note({"project": taken.project, "event": taken.body})
            self._waiting.append(taken)
            begins, self._at_work = not self._at_work, True
        if begins:
            self._start()

    def _start(self) -> None:
        with suppress(RuntimeError):  # the process is ending: what waits stays in the journal
            self._background.always("events", self._work)

    def _work(self) -> None:
        """Until nothing waits, or the database does not take it: then once more after a pause."""
        while True:
            with self._lock:
                taken = list(islice(self._waiting, LARGEST_BATCH))
                self._at_work = bool(taken)
            if not taken:
                return
            settled = self._settle(taken)
            if settled < len(taken):
                pause = PAUSES[min(self._failed, len(PAUSES) - 1)]
                self._failed += 1
                again = threading.Timer(pause, self._start)
                again.daemon = True
                again.start()
                return
            self._failed = 0

    def _settle(self, taken: Sequence[_Waiting]) -> int:
        """How many of them, from the first one on, are handled or told as lost."""
        settled = 0
        for group in groups(taken):
            done = self._together(group)
            with self._lock:
                over = [self._waiting.popleft() for _ in range(done)]
                self._journal.done(done, not self._waiting)
            for one in over:
                one.over.set()
            settled += done
            if done < len(group):
                break
        return settled

    def _together(self, group: Sequence[_Waiting]) -> int:
        if len(group) > 1 and max(one.failures for one in group) < TRIES_TOGETHER:
            try:
                self._handle(merge([one.body for one in group if one.body is not None]))
                return len(group)
            except Exception as error:
                if may_pass(error):
                    for one in group:
                        one.failures += 1
                    log.warning("events wait, the database does not take them", number=len(group), reason=_short(error))
                    return 0
                log.warning("events are handled one by one", number=len(group), reason=_short(error))
        return next((place for place, one in enumerate(group) if not self._alone(one)), len(group))

    def _alone(self, one: _Waiting) -> bool:
        """Whether the event is handled, or told as lost."""
        if one.body is None:
            self._dropped.discard(one.project or 0)
            return self._tell(one)
        try:
            self._handle(one.body)
        except Exception as error:
            one.failures += 1
            if may_pass(error) and one.failures < TRIES:
                log.warning("an event waits, the database does not take it", reason=_short(error))
                return False
            if one.failures in (1, TRIES):  # once, however often it cannot be told
                log.exception("event failed", action=str(one.body.get("action"))[:40])
            return self._tell(one)
        return True

    def _tell(self, one: _Waiting) -> bool:
        try:
            if one.project is not None:
                self._lost(one.project)
        except exc.SQLAlchemyError as error:
            log.warning("a lost event cannot be told yet", project=one.project, reason=_short(error))
            return False
        except Exception:
            log.exception("a lost event cannot be told", project=one.project)
        return True


def may_pass(error: Exception) -> bool:
    """Whether the database may take another time what it did not take now: away, locked, in a deadlock, full."""
    return isinstance(error, exc.DBAPIError | exc.TimeoutError) and not isinstance(error, HOPELESS)


def groups(taken: Sequence[_Waiting]) -> Iterator[list[_Waiting]]:
    """Neighbours that can be handled as one event: single annotations of one project."""
    group: list[_Waiting] = []
    for one in taken:
        if group and (_key(one) is None or _key(one) != _key(group[0])):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def merge(group: Sequence[Body]) -> Body:
    """One event with the annotations and tasks of all."""
    annotations = [{"task": body["task"].get("id"), **body["annotation"]} for body in group]
    tasks = [body["task"] for body in group]
    return {"action": "ANNOTATIONS_CREATED", "project": group[0]["project"], "annotation": annotations, "task": tasks}


def _project(body: Body) -> int | None:
    stated = body.get("project")
    return identifier(stated.get("id") if isinstance(stated, dict) else stated)


def _key(one: _Waiting) -> int | None:
    """The project of an event that may be merged; None for all others."""
    body = one.body or {}
    single = isinstance(body.get("annotation"), dict) and isinstance(body.get("task"), dict)
    return one.project if single and isinstance(body.get("project"), dict) and body.get("action") in TOGETHER else None


def _short(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip()[:200]
