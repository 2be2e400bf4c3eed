"""Whether this web process can do all of its work now: pool, Redis, and every served student in memory.

`/health` only says that the process lives, which is what Label Studio and a restart policy need. `/ready` is for
balancers, updates and alarms.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from backend.errors import PoolError, QueueError
from backend.label_studio.label_config import load_parser
from backend.pool.database.engine import check_schema
from backend.pool.versions import to_load
from backend.services import Services
from backend.serving.live.models import LiveStudents

OK = "ok"


@dataclass(frozen=True)
class Readiness:
    """Each part with `ok` or one sentence that says what is wrong."""

    pool: str
    redis: str
    students: str

    @property
    def ready(self) -> bool:
        """Whether every part is well."""
        return self.pool == self.redis == self.students == OK

    def to_json(self) -> dict[str, object]:
        """A plain object."""
        return {"ready": self.ready, "pool": self.pool, "redis": self.redis, "students": self.students}


def readiness(services: Services, live: LiveStudents) -> Readiness:
    """Look at all parts; takes as long as the slowest time-out of database and Redis.

    The parser of label configs is loaded before it returns, so that the first /setup keeps Label Studio's 3 seconds.
    """
    load_parser()
    try:
        check_schema(services.engine)
        students = _students(services, live)
        pool = OK
    except (sa.exc.SQLAlchemyError, PoolError) as error:
        reason = str(getattr(error, "orig", None) or error).strip()
        pool, students = f"the database cannot be used: {reason}", "not known without the database"
    try:
        services.queue.ping()
        redis = OK
    except QueueError as error:
        redis = str(error)
    return Readiness(pool, redis, students)


def _students(services: Services, live: LiveStudents) -> str:
    """Those that are served; one that cannot be loaded is named with the reason."""
    served = [version for _, version in to_load(services.engine, coming=False)[-live.capacity :]]
    absent = sorted(set(served) - set(live.loaded()))
    if not absent:
        return OK
    problems = live.problems()
    said = [f"{version} cannot be loaded: {problems[version]}" for version in absent if version in problems]
    return "; ".join(said) or f"{', '.join(absent)} is being loaded"
