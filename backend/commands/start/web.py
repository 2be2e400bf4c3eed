"""The web server: gunicorn, one process, several threads."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from backend.commands.start.data_dir import DataDir
from backend.commands.start.part import Part
from backend.embedded.http_probe import answers

THREADS = 16  # a request waits for the pool or a student, seldom for a core
GRACE_SECONDS = 10  # how long a stopping server finishes its answers


def web_command(host: str, port: int, log_level: str = "INFO") -> list[str]:
    """The command line of the web server.

    One process, because one student in memory is enough and all of them would be loaded twice; no preloading, because
    a forked process cannot use a GPU that its parent touched.
    """
    options = [
        "--workers=1",
        "--worker-class=backend.web.gunicorn.Worker",
        f"--threads={THREADS}",
        f"--bind={_address(host, port)}",
        "--no-control-socket",
    ]
    timing = ["--timeout=120", f"--graceful-timeout={GRACE_SECONDS}", "--keep-alive=5"]
    logs = ["--logger-class=backend.gunicorn_logs.Logs", f"--log-level={log_level.lower()}"]
    return [sys.executable, "-m", "gunicorn", *options, *timing, *logs, "backend.web.wsgi:app"]


def web_part(data: DataDir, host: str, port: int, log_level: str, environment: Mapping[str, str]) -> Part:
    """The web server as a part of the all-in-one command."""
    return Part(
        name="Web server",
        command=tuple(web_command(host, port, log_level)),
        environment=environment,
        log=data.path("logs") / "web.log",
        ready=lambda: answers(f"http://{_address(reachable(host), port)}/health"),
        grace_seconds=GRACE_SECONDS + 2,
    )


def reachable(host: str) -> str:
    """An address of this machine at which a server that listens on `host` answers."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
