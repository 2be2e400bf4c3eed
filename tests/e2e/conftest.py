"""Fixtures of the end-to-end tests: one real Label Studio per session, a person at it, and Shortlist beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.annotator import Annotator
from tests.e2e.label_studio_server import LabelStudioServer, start_label_studio


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudioServer]:
    """A real Label Studio in its default (not strict) mode."""
    server = start_label_studio(tmp_path_factory.mktemp("label-studio"))
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
