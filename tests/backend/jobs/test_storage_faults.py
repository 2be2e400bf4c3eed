"""The place of versions is full, or Label Studio is in trouble, while a real worker goes through all jobs."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace

from backend.pool import jobs, versions
from backend.reporting.status import project_status
from benchmarks.shared.waiting import wait_for
from model.loading import load_version
from tests.support import preloaded
from tests.support.checks import check_all_is_well, fill
from tests.support.gate import Gate
from tests.support.world import World

FULL = """
import resource, signal, sys
from pathlib import Path
from backend.jobs.run import Job, job_services, run_job
from backend.jobs import train
from model.registry import Registry
sys.dont_write_bytecode = True  # a module that is first imported now would be left behind cut off
whole = Registry.write
def write(self, *arguments):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    try:
        whole(self, *arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
Registry.write = write
try:
    train.run(7)
except Exception as error:
    sys.exit(f"raised {type(error).__name__}")
"""


def test_a_disk_that_is_full_while_a_version_is_saved(world: World) -> None:
    """No file can grow while the version is written, as on a full disk; later there is room again."""
    fill(world)
    command = [sys.executable, "-c", FULL]
    done = preloaded.run(command, world.environment(), world.folder)
    assert "raised ArtifactError" in done.stderr, done.stderr[-2000:]
    row = jobs.get(world.engine, 7)["train"]
    assert row.state == "failed"
    assert "written" in str(row.error)
    assert str(row.error).endswith("It is tried again by itself.")
    assert str(row.error).removesuffix("It is tried again by itself.") in world.told()
    status = project_status(world.current)
    assert {job["kind"]: job["error"] for job in status["jobs"]}["train"] == row.error
    assert versions.list_versions(world.engine, 7) == []
    assert not [path for path in (world.folder / "versions").rglob("*") if path.is_file()]
    command = [sys.executable, "-c", "from backend.jobs import train; train.run(7)"]
    done = preloaded.run(command, world.environment(), world.folder)
    assert done.returncode == 0, done.stderr
    (version,) = versions.list_versions(world.engine, 7)
    assert (version.state, version.human_labels) == ("publishing", 24)
    assert load_version(world.services.registry.fetch(7, version.version)).space == world.project.space


def test_label_studio_in_trouble_during_sync_and_publish(world: World) -> None:
    """503, 429, 500 and being down pass by themselves; 401 is said in words, and with the right token again all goes
    on."""
    truth, gate = fill(world), Gate(world.double.server.port)
    settings = world.services.settings.model_copy(update={"LABEL_STUDIO_URL": f"http://127.0.0.1:{gate.port}"})
    world.services = replace(world.services, settings=settings)
    world.double.faults = {
        "GET /api/tasks": [(503, {})] * 10,
        "POST /api/projects/7/import/predictions": [(500, {"detail": "database is locked"}), (429, {})],
        "GET /api/ml": [(500, {})],
    }
    world.services.queue.enqueue("sync", 7)
    worker = world.start_worker()
    try:
        wait_for("a word about it", lambda: "answered 503" in _error(world, "sync"), 240, 0.05)
        world.double.faults["GET /api/tasks"] = [(429, {})]
        world.await_student()
        gate.close()
        world.services.queue.enqueue("sync", 7)
        wait_for("a word about it", lambda: "cannot be reached" in _error(world, "sync"), 240, 0.05)
        gate.open()
        wait_for("a comparison", lambda: jobs.get(world.engine, 7)["sync"].state == "idle", 240, 0.05)
        world.double.faults = {"GET /api/projects/7": [(401, {"detail": "Invalid token."})]}
        world.services.queue.enqueue("sync", 7)
        wait_for("a word about the token", lambda: "does not accept LABEL_STUDIO_API_KEY" in _error(world, "sync"), 240)
        world.services.queue.enqueue("sync", 7)
        wait_for("a comparison", lambda: jobs.get(world.engine, 7)["sync"].state == "idle", 240)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(240)
        gate.close()
    assert all(not answers for answers in world.double.faults.values())
    told = ("answered 503", "answered 500", "answered 429", "cannot be reached", "does not accept LABEL_STUDIO_API_KEY")
    assert not [words for words in told if words not in world.told()]
    check_all_is_well(world, truth)


def _error(world: World, kind: str) -> str:
    row = jobs.get(world.engine, 7).get(kind)
    return str(row.error) if row and row.error else ""
