"""Loads what will be needed before a request needs it: the parser, served students, and those about to be served."""

from __future__ import annotations

import gc
from threading import Event, Thread

import sqlalchemy as sa
import structlog

from backend.live import LiveStudents
from backend.pool.tables import projects, versions
from backend.services import Services

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
START_SECONDS = 1.0  # until the server listens and has answered: imports would take the processor from it


def wanted(engine: sa.Engine, coming: bool = True) -> list[tuple[int, str]]:
    """(project, version) of every student that is served and, if wanted, of those being published, the latter last."""
    served = sa.select(projects.c.project, projects.c.served).where(projects.c.served.is_not(None))
    next_ones = sa.select(versions.c.project, versions.c.version).where(versions.c.state == "publishing")
    with engine.connect() as connection:
        rows = [row for query in ([served, next_ones] if coming else [served]) for row in connection.execute(query)]
    return [(int(project), str(version)) for project, version in rows]


def load_parser() -> None:
    """Import what reads label configs: half a second of the processor that the first /setup saves."""
    import label_studio_sdk.label_interface.interface  # noqa: F401


class Warmer:
    """A background thread that looks every two seconds. With many projects only the last few are kept warm."""

    def __init__(self, services: Services, live: LiveStudents) -> None:
        self._services = services
        self._live = live
        self._stop = Event()
        self._thread = Thread(target=self._run, name="warmer", daemon=True)

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Ask for every wanted student once."""
        for project, version in wanted(self._services.engine)[-self._live.capacity :]:
            self._live.get(project, version)

    def _run(self) -> None:
        if self._stop.wait(START_SECONDS):
            return
        load_parser()
        gc.collect()
        gc.freeze()  # what stays for ever need not be looked through again and again
        while not self._stop.is_set():
            try:
                self.look()
            except sa.exc.SQLAlchemyError as error:
                log.warning("the pool cannot be read", reason=str(error))
            self._stop.wait(EVERY_SECONDS)
