"""Parts of libraries that no library promises to keep: each is named here, and their libraries are pinned exactly."""

from __future__ import annotations

import ast
import inspect
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = {  # library: what is called, read or replaced, by module and name
    "rq": [
        "rq.job:Job.execution_registry",
        "rq.executions:Execution.fetch",
        "rq.executions:ExecutionRegistry.get_execution_ids",
        "rq.queue:Queue.registry_cleaning_key",
        "rq.registry:ScheduledJobRegistry.key_template",
        "rq.registry:StartedJobRegistry.key_template",
        "rq.scheduler:RQScheduler._process",
        "rq.scheduler:RQScheduler.acquire_locks",
        "rq.scheduler:RQScheduler.acquired_locks",
        "rq.scheduler:RQScheduler.enqueue_scheduled_jobs",
        "rq.scheduler:RQScheduler.get_locking_key",
        "rq.scheduler:RQScheduler.heartbeat",
        "rq.scheduler:RQScheduler.release_locks",
        "rq.scheduler:RQScheduler.request_stop",
        "rq.scheduler:RQScheduler.start",
        "rq.worker:Worker._start_scheduler",
        "rq.worker:Worker.cleanup_execution",
        "rq.worker:Worker.execution",
        "rq.worker:Worker.fork_work_horse",
        "rq.worker:Worker.get_heartbeat_ttl",
        "rq.worker:Worker.handle_job_success",
        "rq.worker:Worker._horse_pid",
        "rq.worker:Worker.horse_pid",
        "rq.worker:Worker.kill_horse",
        "rq.worker:Worker.maintain_heartbeats",
        "rq.worker:Worker.monitor_work_horse",
        "rq.worker:Worker.perform_job",
        "rq.worker:Worker.pubsub_thread",
        "rq.worker:Worker.register_birth",
        "rq.worker:Worker.request_stop",
        "rq.worker:Worker.run_maintenance_tasks",
        "rq.worker:Worker.set_current_job_working_time",
        "rq.worker:Worker.should_run_maintenance_tasks",
        "rq.worker:Worker.stop_scheduler",
        "rq.worker:Worker.wait_for_horse",
    ],
    "gunicorn": [
        "gunicorn.glogging:Logger.setup",
        "gunicorn.workers.gthread:_DEFER",
        "gunicorn.workers.gthread:TConn.close",
        "gunicorn.workers.gthread:TConn.data_ready",
        "gunicorn.workers.gthread:TConn.initialized",
        "gunicorn.workers.gthread:TConn.is_http2",
        "gunicorn.workers.gthread:TConn.parser",
        "gunicorn.workers.gthread:TConn.sock",
        "gunicorn.workers.gthread:TConn.wait_for_data",
        "gunicorn.workers.gthread:TConn.init",
        "gunicorn.workers.gthread:ThreadWorker._keepalive_after",
        "gunicorn.workers.gthread:ThreadWorker.handle",
        "gunicorn.http.errors:NoMoreData",
        "gunicorn.http.unreader:SocketUnreader.chunk",
        "gunicorn.http.unreader:SocketUnreader.mxchunk",
        "gunicorn.http.unreader:SocketUnreader.max_body_chunk",
        "gunicorn.util:close_graceful",
    ],
    "label-studio-sdk": [
        "label_studio_sdk.label_interface:LabelInterface._controls",
        "label_studio_sdk.label_interface:LabelInterface._objects",
        "label_studio_sdk.label_interface:LabelInterface._tree",
    ],
    "typer": ["typer:_completion_shared._completion_scripts"],
}
EVERY = [part for parts in PARTS.values() for part in parts]
PROMISED = {"_replace", "_asdict", "_fields", "_mapping", "_exit"}  # documented, though they begin with an underscore


def test_every_part_is_there() -> None:
    assert [part for part in EVERY if not is_there(part)] == []


def is_there(part: str) -> bool:
    module, _, names = part.partition(":")
    owner: object = import_module(module)
    *path, last = names.split(".")
    for name in path:
        owner = getattr(owner, name)
    return hasattr(owner, last) or (isinstance(owner, type) and f"self.{last}" in source_of(owner))


def source_of(owner: type) -> str:
    """Of a class and of those that it inherits from, where attributes are made."""
    return "".join(inspect.getsource(one) for one in owner.__mro__ if one.__module__ != "builtins")


@pytest.mark.parametrize("library", sorted(PARTS))
def test_a_library_with_such_parts_is_pinned_exactly(library: str) -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"{library}=={version(library)}" in wanted


def test_every_replaced_method_of_a_worker_is_named() -> None:
    from gunicorn.glogging import Logger
    from gunicorn.workers.gthread import ThreadWorker
    from rq import Worker
    from rq.scheduler import RQScheduler

    from backend.queue import worker
    from backend.web import gunicorn

    pairs = [
        (worker.JobWorker, Worker), (worker.Scheduler, RQScheduler), (gunicorn.Worker, ThreadWorker),
        (gunicorn.Logs, Logger),
    ]  # fmt: skip
    named = {part.partition(":")[2] for part in EVERY}
    for ours, theirs in pairs:
        replaced = {
            f"{theirs.__name__}.{name}" for name in vars(ours) if not name.startswith("__") and name in dir(theirs)
        }
        assert replaced <= named
        for name in (one.partition(".")[2] for one in replaced):
            if inspect.isfunction(vars(ours)[name]):
                assert inspect.signature(vars(ours)[name]).parameters.keys() == parameters(theirs, name), name


def parameters(owner: type, name: str) -> object:
    return inspect.signature(inspect.getattr_static(owner, name)).parameters.keys()


def test_every_private_name_that_is_used_is_named() -> None:
    """As an attribute of something that is not one's own, or by import."""
    named = {part.replace(":", ".").rpartition(".")[2] for part in EVERY} | {
        name for part in EVERY for name in part.partition(":")[2].split(".")
    }
    used = {
        found for folder in ("backend", "model") for path in (ROOT / folder).rglob("*.py") for found in private(path)
    }
    assert used - named - PROMISED == set()


def private(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
    }
    for node in ast.walk(tree):
        names = [node.attr] if isinstance(node, ast.Attribute) else []
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(("backend", "model", "__")):
            names = [alias.name for alias in node.names]
        yield from (name for name in names if name[:1] == "_" and name[:2] != "__" and name not in own)
