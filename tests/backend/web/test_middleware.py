"""Every answer has the headers and is counted, whichever way it took through the app."""

from __future__ import annotations

import pytest

from tests.support.web_server import Server


@pytest.mark.parametrize(
    ("path", "status", "endpoint"),
    [
        ("/health", 200, "health"),
        ("/p/7/health", 200, "health"),
        ("/nowhere", 404, "unknown"),
        ("/projects", 200, None),
    ],
)
def test_headers_and_counters(server: Server, path: str, status: int, endpoint: str | None) -> None:
    answer = server.get(path)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    is_json = answer.headers["Content-Type"] == "application/json"
    assert ("Content-Security-Policy" in answer.headers) is not is_json
    if endpoint is not None:
        line = f'shortlist_requests_total{{endpoint="{endpoint}",status="{status}"}} 1.0'
        assert line in server.get("/metrics").text
