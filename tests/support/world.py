"""What the tests of jobs share: a project at a Label Studio double, a real pool and Redis, and a real worker."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from backend.pool import incidents, jobs
from backend.pool.projects import Project, get
from backend.projects.current import Current, current_of
from backend.projects.job import Job
from backend.services import Services
from benchmarks.shared.waiting import wait_for
from tests.support.holding import PROGRAM, Holding
from tests.support.label_studio_double import TOKEN, LabelStudioDouble
from tests.support.preloaded import Preloaded

ROOT = Path(__file__).resolve().parents[2]
WORKERS: list[Preloaded] = []  # that the running test has started
CREATED = "1795237200"  # the double's creation time in epoch seconds
MESSAGES = {
    "billing": ["I was charged twice this month", "the invoice shows a wrong amount", "why is there a second charge",
                "my card was billed for a cancelled plan", "please explain this invoice"],
    "refund": ["I want my money back", "please refund the order", "when do I get my money back",
               "give me a refund for this purchase", "return my payment to me"],
    "shipping": ["my parcel is late", "the package never arrived", "where is my parcel", "delivery was lost on the way",
                 "the courier left the parcel somewhere else"],
}  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What a world held."""

    place: Path
    label_studio: dict[str, Any]


@dataclass
class World:
    """A project, its Label Studio and its services."""

    double: LabelStudioDouble
    services: Services
    folder: Path

    @property
    def engine(self) -> sa.Engine:
        return self.services.engine

    @property
    def project(self) -> Project:
        row = get(self.engine, self.double.number)
        assert row is not None
        return row

    @property
    def current(self) -> Current:
        """The project with what follows from its row."""
        return current_of(self.services, self.project)

    def set_options(self, **options: object) -> None:
        """Let settings be these from now on."""
        self.services = replace(self.services, settings=self.services.settings.model_copy(update=options))

    def job(self, kind: str) -> Job:
        """A job outside of a worker."""
        return Job(self.services, kind, self.double.number)

    def environment(self, **more: str) -> dict[str, str]:
        """What a worker of this world is started with."""
        settings = self.services.settings
        own = {
            "DATA_DIR": str(self.folder),
            "REDIS_URL": settings.REDIS_URL,
            "DATABASE_URL": settings.database_url,
            "LABEL_STUDIO_URL": settings.LABEL_STUDIO_URL,
            "LABEL_STUDIO_API_KEY": TOKEN,
            "BLIND_SHARE": str(settings.BLIND_SHARE),
            "PREDICT_SECONDS": str(settings.PREDICT_SECONDS),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "INFO",
        }
        return {**os.environ, **own, **more}

    def keep(self, place: Path) -> Kept:
        """All that it holds on disk and in Label Studio, for another world to begin with; nothing of Redis."""
        self.engine.dispose()  # what SQLite had beside its file is in it then
        shutil.copytree(self.folder, place, ignore=shutil.ignore_patterns("exported", "*.log"))
        return Kept(place, self.double.stored())

    def begin_with(self, kept: Kept) -> None:
        """Hold what another one kept."""
        self.engine.dispose()
        shutil.copytree(kept.place, self.folder, dirs_exist_ok=True)
        self.double.store(kept.label_studio)

    def start_worker(self, *arguments: str, holding: Holding | None = None, **environment: str) -> Preloaded:
        """A real worker in a process of its own; the caller ends it. `holding`: its jobs can be asked to wait."""
        program = ["-m", "backend"] if holding is None else ["-c", PROGRAM]
        place = {} if holding is None else {"HOLD": str(holding.folder)}
        command = [sys.executable, *program, "worker", *arguments]
        given = self.environment(**environment, **place)
        WORKERS.append(Preloaded(command, given, self.folder, self.folder / "worker.log"))
        return WORKERS[-1]

    def at_rest(self) -> bool:
        """Whether no job waits, runs, failed or was asked for once more."""
        rows = jobs.get(self.engine, self.double.number).values()
        return all(row.state == "idle" and not row.again for row in rows)

    def told(self) -> str:
        """What the project's page says has gone wrong."""
        return " ".join(row.what for row in incidents.recent(self.engine, self.double.number))

    def await_student(self) -> None:
        """Return when a student is served and published, and all jobs have ended."""
        wait_for("a published student", lambda: self.project.served in {self.project.published} - {None}, 300)
        wait_for("rest", self.at_rest, 300)

    def run_jobs(self, **environment: str) -> str:
        """Run what is queued, and what that asks for, in a real worker; its log."""
        worker = self.start_worker("--burst", **environment)
        code = worker.wait(600)
        log = (self.folder / "worker.log").read_text()
        assert code == 0, log
        return log


def messages(times: int = 1) -> list[tuple[str, str]]:
    """(text, label) of short support messages."""
    return [
        (text if turn == 0 else f"{text}, ticket {turn}", label)
        for turn in range(times)
        for label, texts in MESSAGES.items()
        for text in texts
    ]
