"""The web server: gunicorn, one process, several threads."""

from __future__ import annotations

from collections.abc import Mapping

from backend.commands.start.data_dir import DataDir
from backend.commands.start.part import Part, answers
from backend.web.server import GRACE_SECONDS, printable_address, reachable, web_command


def web_part(data: DataDir, host: str, port: int, log_level: str, environment: Mapping[str, str]) -> Part:
    """The web server as a part of the all-in-one command."""
    return Part(
        name="Web server",
        command=tuple(web_command(host, port, log_level)),
        environment=environment,
        log=data.path("logs") / "web.log",
        ready=lambda: answers(f"http://{printable_address(reachable(host), port)}/health"),
        grace_seconds=GRACE_SECONDS + 2,
    )
