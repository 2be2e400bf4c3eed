"""The checks of the parts that all projects share: Redis, workers, database, models, Label Studio, this backend."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from backend.commands.doctor.findings import Finding, examine, failure, good, warning
from backend.label_studio.client import LabelStudio
from backend.label_studio.connections import webhook_headers
from backend.label_studio.releases import OLDEST, lacks, older
from backend.pool import projects
from backend.projects.teacher_check import lacking, retiring
from backend.queue.clock_watch import span
from backend.queue.job_queue import JobQueue
from backend.queue.kinds import QUEUES
from backend.services import open_services, require_pool
from backend.settings import Settings
from model.teacher.choice import OFFLINE, title_of
from model.teacher.providers.connecting import advice
from model.teacher.providers.trusted import trusted

START = "Start it with `shortlist start`, or set REDIS_URL to a running Redis (redis://host:6379/0)"
DATABASE = "Check DATABASE_URL, DATA_DIR, the rights on it and the space on its disk"
FOLDER = "Set MODEL_DIR to a folder or an address that can be written"
ENCODER = "Set STUDENT_ENCODER to `default`, a folder, or a hub name that this host can download"
FETCH = "Try it now: `shortlist doctor --thorough` fetches and loads it"
SHARE = "Set SHARE_ENCODER=true where the workers run; the next job for the teacher or training brings it"
SERVE = "Start it with `shortlist serve`, or set BACKEND_URL to where Label Studio reaches it"
ADDRESS = "Set BACKEND_URL to where Label Studio reaches this backend"
CLOCKS = "Let all hosts follow a time server (NTP), for example with `timedatectl set-ntp true`"
MOST_APART_SECONDS = 60.0
KEY = "Set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (Label Studio: Account & Settings, personal access token)"


def examine_parts(settings: Settings, *, thorough: bool = False) -> Iterator[Finding]:
    """One finding after the other; each check stands alone. `thorough` loads the encoder and computes with it."""
    queue = JobQueue(settings.REDIS_URL)
    yield examine("Redis", START, lambda: _redis(queue))
    yield examine("Workers", "Start one with `shortlist worker`", lambda: _workers(queue))
    yield examine("Database", DATABASE, lambda: _database(settings))
    yield examine("Version folder", FOLDER, lambda: _folder(settings))
    yield examine("Encoder", ENCODER, lambda: _encoder(settings, thorough))
    yield teacher_finding(settings, "Teacher", settings.TEACHER, settings.BUDGET_USD)
    yield examine("This backend", SERVE, lambda: _backend(settings))
    yield examine("Label Studio", KEY, lambda: _label_studio(settings))


def is_private(address: str) -> bool:
    """Whether a URL leads to loopback or a private network, which Label Studio refuses by default."""
    host = urlsplit(address).hostname or ""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return any(not ipaddress.ip_address(one.split("%")[0]).is_global for one in found)


def _redis(queue: JobQueue) -> Finding:
    queue.ping()
    waiting = sum(queue.waiting().values())
    apart = _out_of_step("Redis", queue.ahead_seconds())
    return apart or good("Redis", f"answers; {waiting} {'job waits' if waiting == 1 else 'jobs wait'}")


def _workers(queue: JobQueue) -> Finding:
    alive = queue.workers()
    missing = [name for name in QUEUES if not any(name in worker.queues for worker in alive)]
    if missing:
        found = f"{len(alive)} workers, none of them on {', '.join(missing)}" if alive else "no worker is running"
        return failure("Workers", f"{found}: jobs wait for ever", "Start one with `shortlist worker`")
    return good("Workers", f"{len(alive)} running")


def _database(settings: Settings) -> Finding:
    require_pool(settings)
    services = open_services(settings)
    try:
        number = len(projects.all_projects(services.engine))
        place = services.engine.url.render_as_string(hide_password=True)
    finally:
        services.engine.dispose()
    return good("Database", f"{place} is up to date; {number} {'project' if number == 1 else 'projects'}")


def _folder(settings: Settings) -> Finding:
    import fsspec

    system, path = fsspec.core.url_to_fs(settings.model_dir)
    probe = f"{path.rstrip('/')}/.doctor"
    system.makedirs(path, exist_ok=True)
    system.pipe_file(probe, b"ok")
    system.rm_file(probe)
    return good("Version folder", f"{settings.model_dir} can be written")


def _encoder(settings: Settings, thorough: bool) -> Finding:
    from model.encoder.exported import has_torch

    name = settings.STUDENT_ENCODER
    if not has_torch():
        return _shared_encoder(settings)
    if not thorough:
        from model.encoder.checkpoint import stored_dimension

        dimension = stored_dimension(name)
        if dimension is None:
            return warning("Encoder", f"{name} is not on this host yet; the first job fetches it", FETCH)
        return good("Encoder", f"{name} is there; {dimension} dimensions")
    from model.encoder.encoder import load_encoder

    encoder = load_encoder(name, settings.THREADS)
    encoder.embed(["ready"])
    return good("Encoder", f"{name} loads; {encoder.dimension} dimensions; {encoder.usage.said()}")


def _shared_encoder(settings: Settings) -> Finding:
    """The encoder as a host without torch gets it from the workers."""
    from model.encoder.exported import FORMS, open_exported, shared_name
    from model.errors import ModelError
    from model.registry import Registry

    registry = Registry(settings.model_dir, settings.cache_dir / "fetched")
    try:
        encoder = open_exported(registry.shared(shared_name(settings.STUDENT_ENCODER, FORMS[0])), settings.THREADS)
    except ModelError as error:
        return warning("Encoder", f"no torch here, and no worker has shared the encoder yet: {error}", SHARE)
    encoder.embed(["ready"])
    return good("Encoder", f"{settings.STUDENT_ENCODER} runs without torch; {encoder.dimension} dimensions")


def teacher_finding(settings: Settings, check: str, teacher: str, budget: float) -> Finding:
    """Whether the teacher of these settings, or of a project's options, can be asked."""
    lack = lacking(settings, teacher)
    if lack is not None:
        return failure(check, lack.what, lack.remedy)
    ending = retiring(teacher)
    if ending:
        return warning(check, ending, "Choose a newer model for TEACHER, and set its budget: it asks anew")
    limit = "" if teacher in OFFLINE else f", at most ${budget:.2f} per project"
    return good(check, f"{title_of(teacher)}{limit}")


def _backend(settings: Settings) -> Finding:
    url = settings.backend_url
    try:
        with httpx.Client(timeout=5, verify=trusted(httpx.create_ssl_context)) as client:
            health = client.get(f"{url}/health")
            page = client.get(f"{url}/", headers=webhook_headers(settings))
    except httpx.HTTPError as error:
        told = advice(error, url)
        return failure("This backend", told or f"{url} does not answer: {error}", ADDRESS if told else SERVE)
    if health.status_code != 200 or "status" not in health.text:
        return failure("This backend", f"{url}/health answers {health.status_code}: something else runs there",
                       ADDRESS)  # fmt: skip
    if page.status_code == 401:
        return failure("This backend", f"{url} does not accept BASIC_AUTH_USER and BASIC_AUTH_PASS of this shell",
                       "Use the same two settings here and for `shortlist serve`")  # fmt: skip
    if not settings.BASIC_AUTH_USER and not is_private(url):
        return warning("This backend", f"{url} is open to everybody", "Set BASIC_AUTH_USER and BASIC_AUTH_PASS")
    return good("This backend", f"{url} answers")


def _label_studio(settings: Settings) -> Finding:
    with LabelStudio(settings.LABEL_STUDIO_URL, settings.LABEL_STUDIO_API_KEY.get_secret_value(), 15) as label_studio:
        user = label_studio.who_am_i()
        apart = _out_of_step("Label Studio", label_studio.ahead_seconds())
        release = label_studio.release()
    which = f"{label_studio.url} (release {release})" if release else label_studio.url
    found = f"{which} accepts the key of {user.get('email') or user.get('username')}"
    return apart or _age(release, found)


def _age(release: str, found: str) -> Finding:
    """A warning where Shortlist was never tried with so old a release, or it lacks what Shortlist can use."""
    missing = lacks(release)
    if older(release, OLDEST):
        return warning("Label Studio", f"{found}. Shortlist was never tried with one before {OLDEST}",
                       f"Upgrade Label Studio to {OLDEST} at least")  # fmt: skip
    if missing:
        return warning("Label Studio", f"{found}. It lacks {' and '.join(missing)}",
                       "Nothing, if you can do without; else upgrade Label Studio")  # fmt: skip
    return good("Label Studio", found)


def _out_of_step(check: str, ahead_seconds: float) -> Finding | None:
    """A clock that differs much from this machine's; None for others."""
    if abs(ahead_seconds) < MOST_APART_SECONDS:
        return None
    way = "ahead of" if ahead_seconds > 0 else "behind"
    return warning(check, f"its clock is {span(abs(ahead_seconds))} {way} this machine's", CLOCKS)
