"""The command line of the web server."""

from __future__ import annotations

import sys

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
        f"--bind={printable_address(host, port)}",
        "--no-control-socket",
        "--forwarded-allow-ips=",  # what proxies say is believed in one place: forwarded.py
    ]
    timing = ["--timeout=120", f"--graceful-timeout={GRACE_SECONDS}", "--keep-alive=5"]
    logs = ["--logger-class=backend.web.gunicorn.Logs", f"--log-level={log_level.lower()}"]
    return [sys.executable, "-m", "gunicorn", *options, *timing, *logs, "backend.web.wsgi:app"]


def reachable(host: str) -> str:
    """An address of this machine at which a server that listens on `host` answers."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def printable_address(host: str, port: int) -> str:
    """Address and port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
