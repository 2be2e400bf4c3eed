"""gunicorn's own lines in our log: one format, text or JSON, with secrets hidden."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from backend.logs import configure_logs
from backend.settings import load_settings


class Logs(Logger):  # type: ignore[misc]
    """Hands what gunicorn has to say to the root logger, in the parent process as well as in the one that answers."""

    def setup(self, cfg: Any) -> None:
        """gunicorn calls this once per process."""
        super().setup(cfg)
        configure_logs(load_settings())
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
