"""How many labels are ticked, where the options leave that to what decisions take people."""

from __future__ import annotations

import structlog

from backend.pool import projects
from backend.projects.decisions import better_way, by_kind, swayed
from backend.projects.job import Job
from backend.projects.options import can_show

log = structlog.get_logger(__name__)


def choose_ticks(job: Job) -> str:
    """Tick less from the next version on, if ticks cost more than they help; what was chosen is kept, because what is
    not ticked any more cannot be measured. What was chosen now, "" for nothing."""
    current = job.current
    known, way = current.project.ticks, better_way(by_kind(current), swayed(current))
    if current.options.TICKS != "auto":
        if known:
            projects.set_ticks(job.services.engine, job.number, "")
        return ""
    if not way or known in (way, "none") or not can_show(current.control, way):
        return ""
    projects.set_ticks(job.services.engine, job.number, way)
    log.info("fewer ticks", project=job.number, ticks=way)
    return way
