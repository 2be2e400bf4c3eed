"""What is kept in memory: loaded once, in the background, bounded, tried again after a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from backend.serving.live import models
from backend.serving.live.models import LiveStudents, LoadedStudent, Shelf
from model.labels import LabelSpace
from model.registry import Registry


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def settle(threads: ThreadPoolExecutor) -> None:
    threads.submit(lambda: None).result(600)


def test_getting_never_waits_and_makes_once(threads: ThreadPoolExecutor) -> None:
    shelf: Shelf[str] = Shelf(threads)
    gate, made = threading.Event(), []

    def make() -> str:
        gate.wait(240)
        made.append(1)
        return "thing"

    assert [shelf.get("a", make) for _ in range(5)] == [None] * 5
    gate.set()
    settle(threads)
    assert shelf.get("a", make) == "thing"
    assert made == [1]


def test_the_least_recently_used_goes(threads: ThreadPoolExecutor) -> None:
    shelf: Shelf[str] = Shelf(threads, capacity=2)
    for key in ("a", "b"):
        shelf.get(key, lambda: "x")
    settle(threads)
    shelf.get("a", lambda: "x")
    shelf.get("c", lambda: "x")
    settle(threads)
    assert shelf.held() == ["a", "c"]
    shelf.forget(lambda key: key == "a")
    assert shelf.held() == ["c"]


def test_a_failure_is_tried_again_later(threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf: Shelf[str] = Shelf(threads)
    results: Iterator[Callable[[], str]] = iter([lambda: str(1 // 0), lambda: "fine"])

    def load() -> str:
        return next(results)()

    for _ in range(3):
        assert shelf.get("a", load) is None
        settle(threads)
    monkeypatch.setattr(models, "RETRY_SECONDS", 0.0)
    shelf.get("a", load)
    settle(threads)
    assert shelf.get("a", lambda: "") == "fine"


class Fixed:
    """A student that gives the last label the most, and counts its calls."""

    space = LabelSpace.of(["a", "b", "c"])
    kind, encoder, thresholds = "head", "default", None

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def probabilities(self, texts: list[str], embed: object = None) -> np.ndarray:
        self.sizes.append(len(texts))
        return np.tile(np.array([0.1, 0.2, 0.7], dtype=np.float32), (len(texts), 1))

    def save(self, folder: Path) -> None:
        raise NotImplementedError


def test_answers_come_in_chunks_until_the_deadline() -> None:
    student = Fixed()
    loaded = LoadedStudent(student, lambda texts: np.zeros((len(texts), 2), np.float32), threading.Lock())  # type: ignore[arg-type]
    answers = loaded.answers(["x"] * 300, time.monotonic() + 60)
    assert [label for label, *_ in answers] == ["c"] * 300
    assert answers[0][1] == pytest.approx(0.7)
    assert student.sizes == [128, 128, 44]
    assert len(loaded.answers(["x"] * 300, time.monotonic())) == 128


def test_long_texts_make_shorter_portions() -> None:
    texts = ["short", "x" * 20_000, "y" * 5_000, "z" * 50_000, "end"]
    assert [list(map(len, part)) for part in models.portions(texts)] == [[5, 20_000], [5_000], [50_000], [3]]


def test_a_busy_processor_is_not_waited_for_beyond_the_deadline() -> None:
    turn = threading.Lock()
    loaded = LoadedStudent(Fixed(), lambda texts: np.zeros((len(texts), 2), np.float32), turn)  # type: ignore[arg-type]
    with turn:
        assert loaded.answers(["x"], time.monotonic() + 0.01) == []
    assert len(loaded.answers(["x"], time.monotonic() + 60)) == 1


def test_a_version_that_is_not_there_stays_none(tmp_path: Path) -> None:
    students = LiveStudents(Registry(str(tmp_path), tmp_path / "cache"))
    assert students.get(7, "student-1-abc") is None
    students.close()
    assert students.loaded() == []
