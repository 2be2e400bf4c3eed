"""The all-in-one command: every part started in order, the sample brought in, everything stopped at the end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from pydantic import SecretStr

from backend.commands.start import instances
from backend.commands.start.address_change import follow_address
from backend.commands.start.console import Console
from backend.commands.start.data_dir import DataDir, prepare
from backend.commands.start.environment import addresses, announced, for_parts
from backend.commands.start.first_project import bring_in_sample
from backend.commands.start.label_studio import HOST, EmbeddedLabelStudio, embedded_label_studio
from backend.commands.start.plan import Plan
from backend.commands.start.ports import require_free
from backend.commands.start.redis import embedded_redis
from backend.commands.start.supervisor import Supervisor
from backend.commands.start.web import web_part
from backend.commands.start.welcome import facts, welcome
from backend.commands.start.worker import worker_part
from backend.errors import StartError
from backend.label_studio.client import LabelStudio
from backend.projects.connect import connect_project
from backend.settings import Settings

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class _Started:
    """The settings with the addresses that came out of starting, and what Label Studio needs to be shown."""

    settings: Settings
    data: DataDir
    label_studio: EmbeddedLabelStudio | None


def run(plan: Plan, console: Console) -> None:
    """Start everything, keep it running until a signal comes, and leave nothing behind.

    Raises StartError if a part cannot start or dies too often, SampleError and LabelStudioError from the import.
    """
    if not plan.settings.DATA_DIR.exists():
        _check_ports(plan)  # no folder is made for what cannot start
    data = prepare(plan.settings.DATA_DIR)  # first: who starts twice is told so, not that a port is taken
    try:
        _check_ports(plan)
    except StartError:
        data.release()
        raise
    supervisor = Supervisor(console)
    with _stopped_by_signals(supervisor.stopping):  # a second signal must not interrupt the stopping
        try:
            started = _start(plan, data, supervisor)
            if not supervisor.stopping.is_set():
                data.announce(announced(started.settings))
                instances.note(data.folder)
                supervisor.run(lambda: _finish(plan, started, console, supervisor.stopping))
        finally:
            console.say("Stopping")
            supervisor.stop()
            instances.forget(data.folder)
            data.release()
            console.say(f"Stopped; everything is kept in {data.folder}")


def _check_ports(plan: Plan) -> None:
    if plan.label_studio_port == plan.settings.PORT:
        raise StartError(f"PORT and LABEL_STUDIO_PORT are both {plan.settings.PORT}; choose two different ones")
    require_free(plan.settings.HOST, plan.settings.PORT, "PORT", "web server")
    if plan.label_studio_port is not None:
        require_free(HOST, plan.label_studio_port, "LABEL_STUDIO_PORT", "Label Studio")


def _start(plan: Plan, data: DataDir, supervisor: Supervisor) -> _Started:
    """Start all parts and wait until they answer."""
    settings, label_studio, redis = plan.settings, None, None
    if not settings.REDIS_URL:  # the first one, which is stopped last
        redis = embedded_redis(data, for_parts(settings))
        settings = settings.model_copy(update={"REDIS_URL": redis.url})
        supervisor.start(redis.part)
    if plan.label_studio_port is not None:
        label_studio = embedded_label_studio(data, plan.label_studio_port, plan.label_studio_venv)
        key = SecretStr(label_studio.credentials.token)
        settings = settings.model_copy(update={"LABEL_STUDIO_URL": label_studio.url, "LABEL_STUDIO_API_KEY": key})
        supervisor.start(label_studio.part)
    if redis is not None:
        supervisor.wait_ready(redis.part.name)
    environment = {**for_parts(settings), **addresses(settings)}
    web = web_part(data, settings.HOST, settings.PORT, settings.LOG_LEVEL, environment)
    worker = worker_part(data, environment)
    for part in (web, worker):
        supervisor.start(part)
    for name in (web.name, *([label_studio.part.name] if label_studio else []), worker.name):
        supervisor.wait_ready(name)
    return _Started(settings, data, label_studio)


def _finish(plan: Plan, started: _Started, console: Console, stopping: threading.Event) -> None:
    """What happens beside the watching: bring the sample in, then say where everything is."""
    imported, settings, data = None, started.settings, started.data
    if started.label_studio is not None and plan.sample is not None:
        with LabelStudio(settings.LABEL_STUDIO_URL, started.label_studio.credentials.token) as label_studio:
            follow_address(label_studio, settings, data.path("label-studio"), console)
        folder = data.path("samples")
        imported = bring_in_sample(plan.sample, settings, folder, console, stopping, connect=connect_project)
    if not stopping.is_set():
        told = (settings, started.label_studio, imported, data.folder)
        console.announce(welcome(*told), facts(*told))


@contextmanager
def _stopped_by_signals(stopping: threading.Event) -> Iterator[None]:
    """A signal asks for the end. After it there is nothing left to stop: another one must not make it a failure."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
