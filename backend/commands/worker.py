"""`shortlist worker`: runs the jobs."""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Callable
from functools import partial
from typing import Annotated

import structlog
import typer

from backend.errors import QueueError
from backend.logs import configure_logs
from backend.settings import load_settings

log = structlog.get_logger(__name__)

NICENESS = 10  # a tenth of a share: annotators wait for the web server on the same machine, for a job nobody as they do
PRELOADED = (  # imported once by the worker, while no job waits for it, so that later ones need not
    "label_studio_sdk.label_interface.interface",  # reads a label config: most of a second, in each job anew
    "torch",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.bert.modeling_bert",  # of the bundled encoder
    "transformers.models.bert.tokenization_bert",
    "torch._dynamo",  # what every optimiser imports first: seconds, in each forked training anew
    "safetensors.numpy",  # first imported on a full disk, its bytecode would be cut off, and later jobs fail of it
    "model.train",
    "model.encoder.encoder",
    "model.teacher.choice",
    "model.registry",
    "backend.jobs.train",
    "backend.jobs.annotate",
    "backend.jobs.ask",
    "backend.jobs.publish",
    "backend.jobs.finish",
    "openai",  # providers' own libraries: most of a second, in each part of an annotate run anew
    "anthropic",
)
EXTRAS = ("openai", "anthropic")  # nothing is missing where they are not


def queue_names() -> list[str]:
    """What a shell offers after `shortlist worker`."""
    from backend.queue.kinds import QUEUES

    return list(QUEUES)


def worker(
    queues: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUEUE",
            help="Queues to work on: publish, train, teacher; default: all.",
            autocompletion=queue_names,
        ),
    ] = None,
    burst: Annotated[bool, typer.Option(help="End when no job is left.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Log as JSON lines, as LOG_FORMAT=json does.")] = False,
) -> None:
    """Run jobs: ask the teacher, train, publish. Start as many as you like, on any host that reaches Redis.

    Example: shortlist worker train
    """
    from backend.queue.job_queue import JobQueue
    from backend.queue.kinds import QUEUES
    from backend.queue.worker import SPAWNS, work_until_stopped
    from backend.services import open_services

    if as_json:
        os.environ["LOG_FORMAT"] = "json"  # the jobs' processes read the settings anew
    settings = load_settings()
    configure_logs(settings)
    chosen = tuple(queues or QUEUES)
    unknown = sorted(set(chosen) - set(QUEUES))
    if unknown:
        raise QueueError(f"there is no queue {unknown[0]!r}; queues are {', '.join(QUEUES)}")
    os.nice(NICENESS)
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(settings.THREADS)
    services = open_services(settings)
    services.queue.ping()
    queue = JobQueue(settings.REDIS_URL, services.engine, patient=True)
    services.engine.dispose()  # no connection may be shared with the forked jobs
    log.info("worker started", queues=chosen)
    libraries: list[Callable[[], None]] = [] if SPAWNS else [*(partial(_load, name) for name in PRELOADED), _freeze]
    if burst:  # it has no spare time
        for load in libraries:
            load()
    work_until_stopped(queue, chosen, burst, libraries)


def _load(name: str) -> None:
    """Import what jobs need. Nothing is used here: a fork must not inherit threads or CUDA."""
    try:
        importlib.import_module(name)
    except ImportError as error:
        if name not in EXTRAS:
            log.warning("not installed, jobs that need it will fail", module=name, reason=str(error))


def _freeze() -> None:
    log.info("libraries loaded")
    gc.collect()
    gc.freeze()  # jobs share these pages, and no collection looks through what stays: that took a third of a bulk write
