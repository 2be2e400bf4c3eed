"""What every part of the backend works with: settings, pool, queue, versions on disk, clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool.database.engine import now_ms, open_engine, upgrade
from backend.queue.job_queue import JobQueue
from backend.settings import Settings

if TYPE_CHECKING:
    from model.registry import Registry


@dataclass(frozen=True)
class Services:
    """What touches the world, passed in everywhere. `clock` gives UTC in milliseconds."""

    settings: Settings
    engine: sa.Engine
    queue: JobQueue
    clock: Callable[[], int] = now_ms

    @cached_property
    def registry(self) -> Registry:
        """Where versions are kept; opened when it is first asked for. ArtifactError if MODEL_DIR is no usable place."""
        from model.registry import Registry

        return Registry(self.settings.model_dir, self.settings.cache_dir / "fetched")


def open_services(settings: Settings) -> Services:
    """Open the pool and bring its schema up to date; Redis is connected to when a job is first started.

    Raises PoolError if the database cannot be opened or is of a newer release.
    """
    engine = open_engine(settings.database_url)
    upgrade(engine)
    return Services(settings, engine, JobQueue(settings.REDIS_URL, engine))


def require_pool(settings: Settings) -> None:
    """PoolError where opening the pool would make an empty one: nobody asks about a pool that never was."""
    if not settings.DATABASE_URL and not (settings.DATA_DIR / "pool.sqlite").exists():
        raise PoolError(
            f"{settings.DATA_DIR.absolute()} holds no data of a Shortlist; set DATA_DIR to the folder of the one that "
            "you mean, or start it there (`shortlist start`)"
        )
