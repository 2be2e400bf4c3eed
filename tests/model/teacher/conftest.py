"""A threaded HTTP server on loopback, on a free port: one for all tests, because stopping it takes half a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer


@pytest.fixture(scope="session")
def running_server() -> Iterator[HTTPServer]:
    """Answers several requests at once, as vendors do."""
    server = HTTPServer(host="127.0.0.1", port=0, threaded=True)
    server.start()
    yield server
    if server.is_running():
        server.stop()


@pytest.fixture
def http_server(running_server: HTTPServer) -> Iterator[HTTPServer]:
    """The server, knowing nothing of what it was told before."""
    running_server.clear()
    yield running_server
    running_server.clear()
