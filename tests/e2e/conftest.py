"""Fixtures of the end-to-end tests: one real Label Studio per session, a person at it, and Shortlist beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.shared.annotator import Annotator
from tests.e2e.browser import Browser
from tests.e2e.label_studio_server import STRICT, LabelStudioServer, start_label_studio
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudioServer]:
    """A real Label Studio that validates predictions strictly; the embedded ones run in its default mode."""
    server = start_label_studio(tmp_path_factory.mktemp("label-studio"), STRICT)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def person(label_studio: LabelStudioServer) -> Iterator[Annotator]:
    """The person who labels there."""
    annotator = Annotator(label_studio.url, label_studio.token)
    yield annotator
    annotator.close()


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept for people to look at."""
    folder = Path(__file__).resolve().parents[1] / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def stack(label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Shortlist without login, training after 20 human labels."""
    yield from running(Stack(tmp_path_factory.mktemp("shortlist"), label_studio))


@pytest.fixture(scope="session")
def guarded(label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Shortlist behind Basic auth."""
    login = {"BASIC_AUTH_USER": "shortlist", "BASIC_AUTH_PASS": "a pass phrase, with: signs"}
    yield from running(Stack(tmp_path_factory.mktemp("guarded"), label_studio, **login))


def running(stack: Stack) -> Iterator[Stack]:
    """Start a stack, lend it, stop it."""
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def window(
    label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory, artefacts: Path
) -> Iterator[Browser]:
    """One browser for all tests, logged in to Label Studio."""
    window = Browser(label_studio.url, tmp_path_factory.mktemp("browser") / "profile", artefacts)
    try:
        window.log_in(label_studio.user, label_studio.password)
        yield window
    finally:
        window.close()


@pytest.fixture
def browser(window: Browser) -> Iterator[Browser]:
    """A browser that is logged in to Label Studio, at an empty page; an open one would go on asking Label Studio."""
    yield window
    window.driver.get("about:blank")
