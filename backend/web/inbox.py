"""Events on their way to the pool: what arrives while the pool is busy is written together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

import structlog
from sqlalchemy.exc import OperationalError

from backend.label_studio.fields import identifier
from backend.web.background import LONGEST_QUEUE, Background
from backend.web.events import Body

log = structlog.get_logger(__name__)

LARGEST_BATCH = 200  # events that are written in one transaction
TOGETHER = {"ANNOTATION_CREATED", "ANNOTATION_UPDATED"}  # one annotation and one task each


class Inbox:
    """Hands events to `handle` in the order of arrival, in the background thread."""

    def __init__(self, background: Background, handle: Callable[[Body], None]) -> None:
        self._background = background
        self._handle = handle
        self._waiting: deque[Body] = deque()
        self._lock = Lock()

    def take(self, body: Body, wait_seconds: float) -> bool:
        """Accept an event and wait for at most so long until it is handled; whether it is."""
        if len(self._waiting) >= LONGEST_QUEUE:
            log.error("event refused, too many are waiting", action=str(body.get("action"))[:40])
            return False
        self._waiting.append(body)
        return self._background.do("events", self._work, wait_seconds)

    def _work(self) -> None:
        with self._lock:
            number = min(len(self._waiting), LARGEST_BATCH)
            taken = [self._waiting.popleft() for _ in range(number)]
        for group in groups(taken):
            self._together(group)

    def _together(self, group: Sequence[Body]) -> None:
        if len(group) > 1:
            try:
                self._handle(merge(group))
                return
            except OperationalError as error:  # each by itself would wait as long once more
                log.error("events dropped, the database cannot be used", number=len(group), reason=str(error.orig))
                return
            except Exception as error:  # one of them is the cause: the others must not suffer
                log.warning("events are handled one by one", number=len(group), reason=str(error)[:200])
        for body in group:
            try:
                self._handle(body)
            except Exception:
                log.exception("event failed", action=str(body.get("action"))[:40])


def groups(bodies: Sequence[Body]) -> Iterator[list[Body]]:
    """Neighbours that can be handled as one event: single annotations of one project."""
    group: list[Body] = []
    for body in bodies:
        if group and (_key(body) is None or _key(body) != _key(group[0])):
            yield group
            group = []
        group.append(body)
    if group:
        yield group


def merge(group: Sequence[Body]) -> Body:
    """One event with the annotations and tasks of all."""
    annotations = [{"task": body["task"].get("id"), **body["annotation"]} for body in group]
    tasks = [body["task"] for body in group]
    return {"action": "ANNOTATIONS_CREATED", "project": group[0]["project"], "annotation": annotations, "task": tasks}


def _key(body: Body) -> int | None:
    """The project of an event that may be merged; None for all others."""
    project = body.get("project")
    single = isinstance(body.get("annotation"), dict) and isinstance(body.get("task"), dict)
    number = identifier(project.get("id")) if isinstance(project, dict) else None
    return number if single and body.get("action") in TOGETHER else None
