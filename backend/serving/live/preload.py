"""Loads what will be needed before a request needs it: the parser, the encoder, served students, and those about to be
served."""

from __future__ import annotations

import gc
from threading import Event, Thread

import sqlalchemy as sa
import structlog

from backend.errors import SettingsError
from backend.label_studio.label_config import load_parser
from backend.pool import projects
from backend.pool.versions import to_load
from backend.projects.current import current_of
from backend.projects.options import project_options
from backend.services import Services
from backend.serving.live.models import LiveStudents
from backend.training.encoder import project_runtime

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
START_SECONDS = 1.0  # until the server listens and has answered: imports would take the processor from it


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
        """Ask for every to_load student once."""
        for project, version in to_load(self._services.engine)[-self._live.capacity :]:
            self._live.get(project, version)

    def prepare(self) -> bool:
        """Have the encoder of the first project loaded; whether there is one.

        Importing torch stops all threads of the process for moments, several times. That must be over before the first
        student comes, which is while people label.
        """
        from model.encoder.exported import has_torch

        known = projects.all_projects(self._services.engine)
        if known and has_torch():
            name = project_options(self._services.settings, known[0]).STUDENT_ENCODER
            self._live.prepare(name, lambda: project_runtime(current_of(self._services, known[0])))
        return bool(known)

    def _run(self) -> None:
        if self._stop.wait(START_SECONDS):
            return
        load_parser()
        gc.collect()
        gc.freeze()  # what stays for ever need not be looked through again and again
        prepared = False
        while not self._stop.is_set():
            try:
                self.look()
                prepared = prepared or self.prepare()
            except (sa.exc.SQLAlchemyError, SettingsError) as error:
                log.warning("nothing could be loaded", reason=str(error))
            self._stop.wait(EVERY_SECONDS)
