"""A threaded HTTP server on loopback, on a free port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer


@pytest.fixture
def http_server() -> Iterator[HTTPServer]:
    """Answers several requests at once, as vendors do."""
    server = HTTPServer(host="127.0.0.1", port=0, threaded=True)
    server.start()
    yield server
    server.clear()
    if server.is_running():
        server.stop()
