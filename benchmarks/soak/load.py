"""The load of a soak run: people who label in a real Label Studio, and a network that doubles, reorders and garbles."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Mapping

import httpx

from benchmarks.shared.annotator import Annotator, Json, LabelStudioAnswer, choice

GARBLED = (b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"action": 7}', b'{"action": "ANNOTATION_CREATED", "project": {}}',
           b'{"action": "ANNOTATION_CREATED", "annotation": [{"id": -1}], "project": {"id": 1}}')  # fmt: skip


class Tally:
    """What happened, counted by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events_sent = 0
        self.injected = 0
        self.refused = 0
        self.errors: list[str] = []
        self.seconds: list[float] = []
        self.sent: deque[Json] = deque(maxlen=2000)  # events to repeat

    def acted(self, seconds: float, event: Json | None) -> None:
        """A person did something in Label Studio, which told the backend (or tried to)."""
        with self._lock:
            self.events_sent += 1
            self.seconds.append(seconds)
            if event:
                self.sent.append(event)

    def failed(self, error: Exception) -> None:
        """A person saw an error."""
        with self._lock:
            self.errors.append(f"{type(error).__name__}: {str(error)[:300]}")

    def sent_by_hand(self, answered: bool) -> None:
        """An event that did not come from Label Studio; `answered` with 200 and an empty object."""
        with self._lock:
            self.events_sent += 1
            self.injected += 1
            self.refused += not answered


class Person(threading.Thread):
    """One person: the first labels the stream, the others take tasks from the end, so that they do not meet."""

    def __init__(
        self, place: int, login: tuple[str, str], project: int, gold: Mapping[str, str], tasks: list[int],
        tally: Tally, stop: threading.Event, pause_seconds: float,
    ) -> None:  # fmt: skip
        super().__init__(name=f"person-{place}", daemon=True)
        self._place, self._project, self._gold, self._tally, self._stop_asked = place, project, gold, tally, stop
        self._annotator = Annotator(*login)
        self._own = list(tasks)
        self._random = random.Random(place)
        self._pause = pause_seconds
        self._mine: list[tuple[int, int]] = []  # (task, annotation)

    def run(self) -> None:
        """Act until it is time to stop."""
        while not self._stop_asked.wait(self._random.uniform(0.5, 1.5) * self._pause):
            start = time.monotonic()
            try:
                event = self._act()
            except (LabelStudioAnswer, httpx.HTTPError) as error:
                self._tally.failed(error)
            else:
                if event is not None:
                    self._tally.acted(time.monotonic() - start, event)
        self._annotator.close()

    def _act(self) -> Json | None:
        turn = self._random.random()
        if self._mine and turn < 0.05:
            task, annotation = self._random.choice(self._mine)
            return self._event("ANNOTATION_UPDATED", task, self._annotator.update(annotation, self._result("", 1)))
        if self._mine and turn < 0.08:
            task, annotation = self._mine.pop(self._random.randrange(len(self._mine)))
            self._annotator.delete(annotation)
            return {}
        task_row = self._next()
        if task_row is None:
            return None
        number, text = int(task_row["id"]), str(task_row["data"]["text"])
        shown = task_row["predictions"][-1] if task_row.get("predictions") else None
        if turn > 0.94:
            return self._event("ANNOTATION_CREATED", number, self._annotator.skip(number, shown))
        made = self._annotator.submit(number, self._result(text, 2 if turn > 0.88 else 1), shown)
        self._mine.append((number, int(made["id"])))
        return self._event("ANNOTATION_CREATED", number, made)

    def _next(self) -> Json | None:
        if self._place == 0:
            return self._annotator.next_task(self._project)
        return self._annotator.open_task(self._project, self._own.pop()) if self._own else None

    def _result(self, text: str, number: int) -> list[Json]:
        names = sorted(set(self._gold.values()))
        first = self._gold.get(text) or self._random.choice(names)
        return [choice([first, *self._random.sample([name for name in names if name != first], number - 1)])]

    def _event(self, action: str, task: int, annotation: Json) -> Json:
        """The same event as Label Studio's own, to be repeated later."""
        body = {**annotation, "task": task, "prediction": {}}
        return {"action": action, "project": {"id": self._project}, "annotation": body, "task": {"id": task}}


class Network(threading.Thread):
    """Sends old events again in any order, and rubbish, straight to the backend."""

    def __init__(self, backend: str, tally: Tally, stop: threading.Event, per_second: float) -> None:
        super().__init__(name="network", daemon=True)
        self._url, self._tally, self._stop_asked, self._pause = f"{backend}/webhook", tally, stop, 1 / per_second
        self._random = random.Random(99)

    def run(self) -> None:
        """Send until it is time to stop. A backend that is down misses events, as it does from Label Studio."""
        headers = {"Content-Type": "application/json", "Connection": "close"}  # each goes to any of the web servers
        with httpx.Client(timeout=5, trust_env=False, headers=headers) as client:
            while not self._stop_asked.wait(self._pause):
                old = list(self._tally.sent)
                rubbish = self._random.random() < 0.3 or not old
                body: dict[str, object] = (
                    {"content": self._random.choice(GARBLED)} if rubbish else {"json": self._random.choice(old)}
                )
                try:
                    answer = client.post(self._url, **body)  # type: ignore[arg-type]
                    self._tally.sent_by_hand(answer.status_code == 200 and answer.json() == {})
                except httpx.TransportError:
                    self._tally.sent_by_hand(True)
