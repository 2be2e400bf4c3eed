"""What went wrong is kept for people: the newest first, the same only once."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool import incidents
from backend.pool.database.engine import now_ms


def test_the_same_is_counted_and_the_newest_come_first(engine: sa.Engine) -> None:
    before = now_ms()
    for what in ("killed", "disk full\x00", "killed"):
        incidents.note(engine, 7, "train", what)
    incidents.note(engine, 8, "train", "of another project")
    incidents.note(engine, incidents.EVERYWHERE, "", "the clock was set")
    incidents.note(engine, 7, "publish", "killed")
    found = incidents.recent(engine, 7)
    assert [(row.kind, row.what.rstrip("\ufffd"), row.times) for row in found] == [
        ("publish", "killed", 1), ("", "the clock was set", 1), ("train", "killed", 2), ("train", "disk full", 1),
    ]  # fmt: skip
    assert all(before <= row.first_ms <= row.last_ms <= now_ms() for row in found)


def test_only_the_newest_of_each_project_are_kept(engine: sa.Engine) -> None:
    incidents.note(engine, 8, "train", "stays")
    for number in range(incidents.KEPT + 5):
        incidents.note(engine, 7, "train", f"fault {number}")
    assert [row.what for row in incidents.recent(engine, 7)] == [
        f"fault {number}" for number in range(incidents.KEPT + 4, 4, -1)
    ]
    assert len(incidents.recent(engine, 8)) == 1
