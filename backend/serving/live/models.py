"""Students and teachers in the memory of the web process: loaded in the background, swapped while requests go on."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import structlog

from backend.serving import unsure
from backend.serving.answers import StudentAnswer, answers
from backend.serving.live.answer_cache import AnswerCache
from backend.serving.relevance import answered

if TYPE_CHECKING:
    from model.arrays import Embed
    from model.calibration import Calibration
    from model.labels import LabelSpace
    from model.registry import Registry
    from model.student.student import Student
    from model.teacher.base import Teacher
    from model.teacher.choice import TeacherOptions

log = structlog.get_logger(__name__)

T = TypeVar("T")
RETRY_SECONDS = 20.0  # a load that failed is tried again after so long
ENDING = "after interpreter shutdown"  # what Python says where a library wants threads while the process ends
CAPACITY = 8  # students, and teachers, that stay in memory
CHUNK, CHARACTERS = 128, 24_000  # of one model call, at most: short enough that a deadline is kept


@dataclass(frozen=True)
class LoadedStudent:
    """A student with its encoder, ready to answer. One call at a time uses the processor."""

    student: Student
    embed: Embed
    _turn: Lock
    calibration: Calibration | None = None

    def answers(self, texts: Sequence[str], deadline: float) -> list[StudentAnswer]:
        """What it says about the first texts, as many as fit before `deadline` (time.monotonic seconds)."""
        found: list[StudentAnswer] = []
        for part in portions(texts, getattr(self.student, "portion", CHUNK)):
            if not self._turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
                break
            try:
                rows, ranks = answered(self.student, part, self.embed)
            finally:
                self._turn.release()
            said = answers(self.student.space, rows, self.calibration, self.student.thresholds)
            found += [one._replace(relevance=rank) for one, rank in zip(said, ranks, strict=True)]
            if time.monotonic() >= deadline:
                break
        return found


def portions(texts: Sequence[str], most: int = CHUNK) -> Iterator[list[str]]:
    """The texts in order, in lists of at most `most` texts and, but for a single one, CHARACTERS characters."""
    part: list[str] = []
    size = 0
    for text in texts:
        if part and (len(part) >= most or size + len(text) > CHARACTERS):
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part


class Shelf(Generic[T]):
    """Keeps the most recently used things; what is missing is made by a background thread, once."""

    def __init__(self, threads: ThreadPoolExecutor, capacity: int = CAPACITY) -> None:
        self._threads = threads
        self._capacity = capacity
        self._lock = Lock()
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self._loading: set[Hashable] = set()
        self._failed: dict[Hashable, float] = {}
        self._reasons: dict[Hashable, str] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T | None:
        """The thing, or None while it is being made. Never waits."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
            blocked = self._failed.get(key, -RETRY_SECONDS) + RETRY_SECONDS > time.monotonic()
            if blocked or key in self._loading:
                return None
            self._loading.add(key)
        self._threads.submit(self._make, key, make)
        return None

    def forget(self, unwanted: Callable[[Any], bool]) -> None:
        """Drop the things whose key is unwanted; requests that hold one finish with it."""
        with self._lock:
            for key in [key for key in self._things if unwanted(key)]:
                del self._things[key]

    def held(self) -> list[Hashable]:
        """What is in memory, least recently used first."""
        with self._lock:
            return list(self._things)

    def problems(self) -> dict[Hashable, str]:
        """What could not be made at the last try, with the reason."""
        with self._lock:
            return dict(self._reasons)

    def _make(self, key: Hashable, make: Callable[[], T]) -> None:
        try:
            thing = make()
        except Exception as error:
            if ENDING in str(error):
                log.info("not loaded, because the process ends", key=str(key))
                return
            log.exception("loading failed", key=str(key), retry_seconds=RETRY_SECONDS, reason=str(error))
            with self._lock:
                self._loading.discard(key)
                self._failed[key] = time.monotonic()
                self._reasons[key] = str(error)
            return
        with self._lock:
            self._loading.discard(key)
            self._failed.pop(key, None)
            self._reasons.pop(key, None)
            self._things[key] = thing
            while len(self._things) > self._capacity:
                self._things.popitem(last=False)
        log.info("loaded", key=str(key))


class LiveStudents:
    """The students that this process serves, and the teachers that answer for one freshly opened task.

    `get` and `teacher` return at once: None until the background thread has loaded what was asked for. `sent` holds
    the entries that were answered lately.
    """

    capacity = CAPACITY

    def __init__(self, registry: Registry, threads: int = 1, folder: Path | None = None) -> None:
        self.sent = AnswerCache()
        self._registry = registry
        self._model_threads, self._folder = threads, folder
        self._loader = ThreadPoolExecutor(1, "loader")
        self._students: Shelf[LoadedStudent] = Shelf(self._loader)
        self._teachers: Shelf[Teacher] = Shelf(self._loader)
        self._encoders: Shelf[Embed] = Shelf(self._loader)
        self._turn = Lock()

    def get(self, project: int, version: str) -> LoadedStudent | None:
        """The student of a version, once it is loaded. A project keeps two at most: the served and the next."""
        return self._students.get((project, version), lambda: self._load(project, version))

    def teacher(self, project: int, version: str, options: TeacherOptions, space: LabelSpace, encoder: str,
                make: Callable[[Embed], Teacher] | None = None) -> Teacher | None:  # fmt: skip
        """The teacher behind a teacher's version, once it is loaded; `make` replaces the plain way to make it."""
        return self._teachers.get((project, version), lambda: self._make_teacher(options, space, encoder, make))

    def prepare(self, encoder: str, runtime: Callable[[], str]) -> None:
        """Load an encoder before anything asks for it; `runtime` is called in the background, too."""
        self._encoders.get(encoder, lambda: self._ready(encoder, runtime()))

    def loaded(self) -> list[str]:
        """Versions of the students in memory."""
        return [str(key[1]) for key in self._students.held() if isinstance(key, tuple)]

    def problems(self) -> dict[str, str]:
        """Versions of students that could not be loaded at the last try, with the reason."""
        return {str(key[1]): why for key, why in self._students.problems().items() if isinstance(key, tuple)}

    def close(self) -> None:
        """Stop loading."""
        self._loader.shutdown(wait=True, cancel_futures=True)

    def _load(self, project: int, version: str) -> LoadedStudent:
        from model.loading import load_version

        folder: Path = self._registry.fetch(project, version)
        student = load_version(folder)
        own = getattr(student, "own", None)  # an encoder of its own, which needs no other
        embed = own.embed if own else self._embed(student.encoder, getattr(student, "runtime", "float32"))
        loaded = LoadedStudent(student, embed, self._turn, unsure.of_version(folder))
        loaded.student.probabilities(["ready"], loaded.embed)
        others = [key for key in self._students.held() if isinstance(key, tuple) and key[0] == project]
        self._students.forget(lambda key: key in others[:-1])  # the one in use may be served until the switch
        return loaded

    def _make_teacher(self, options: TeacherOptions, space: LabelSpace, encoder: str,
                      make: Callable[[Embed], Teacher] | None = None) -> Teacher:  # fmt: skip
        from model.encoder.runtimes import preferred
        from model.teacher.choice import make_teacher

        embed = self._embed(encoder, preferred())
        teacher = make(embed) if make else make_teacher(options, space, embed)
        if teacher.fast:
            teacher.shortlist(["ready"])
        return teacher

    def _ready(self, name: str, runtime: str) -> Embed:
        embed = self._embed(name, runtime)
        embed(["ready"])
        return embed

    def _embed(self, name: str, runtime: str) -> Embed:
        from model.encoder.exported import form_of, has_torch, open_exported, shared_name
        from model.encoder.runtimes import open_encoder

        if not has_torch():
            folder = self._registry.shared(shared_name(name, form_of(runtime)))
            return open_exported(folder, self._model_threads).embed
        return open_encoder(name, runtime, self._folder, self._model_threads).embed
