"""A real web server on a free port, with a real pool and a real Redis behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from backend.settings import load_settings
from tests.support.web_server import Server


@pytest.fixture
def serve(tmp_path: Path, redis_url: str) -> Iterator[Callable[..., Server]]:
    """Starts servers with the given settings; each has a pool of its own."""
    with ExitStack() as stack:

        def start(**overrides: Any) -> Server:
            folder = tmp_path / f"data{len(list(tmp_path.iterdir()))}"
            given = {"DATA_DIR": folder, "REDIS_URL": redis_url, "TEACHER": "similarity", "BLIND_SHARE": 0, **overrides}
            return stack.enter_context(Server(load_settings(_env_file=None, **given)))

        yield start


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """A server without login."""
    return serve()
