"""Which of the next questions may be asked: those that nobody else asks now, and that nobody has answered meanwhile."""

from __future__ import annotations

from collections.abc import MutableSequence

from backend.pool import candidates
from backend.pool.claims import Asking
from backend.pool.text import text_hash
from backend.projects.job import Job

Row = tuple[int, str]  # (task, text)


def still_open(
    job: Job, mine: Asking, version: str, rows: list[Row], elsewhere: MutableSequence[Row] | None = None
) -> list[Row]:
    """Claim questions; those that are ours. What others ask about now is added to `elsewhere`."""
    if not rows:
        return []
    hashes = {row: text_hash(row[1]) for row in rows}
    taken = mine.take(job.number, version, set(hashes.values()))
    stored = candidates.read(job.services.engine, job.number, version, [task for task, _ in rows])
    ours: list[Row] = []
    for row, key in hashes.items():
        if key not in taken:
            if elsewhere is not None:
                elsewhere.append(row)
        elif row[0] not in stored or stored[row[0]].text_hash != key:
            ours.append(row)
    mine.release(job.number, version, taken - {hashes[row] for row in ours})
    return ours
