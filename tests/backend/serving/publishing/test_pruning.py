"""Old versions go, but never the served one or the one that a rollback would serve."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from backend.pool import annotations, predictions, projects, tasks, versions
from backend.pool.annotations import Annotation
from backend.pool.versions import VersionRow
from backend.projects.actions import choose
from backend.serving.publishing.pruning import prune, superfluous
from tests.support.world import World


class Notes:
    """Anything that can be saved."""

    def save(self, folder: Path) -> None:
        (folder / "README.md").write_text("notes\n")


def train(world: World, number: int, *, promoted: bool) -> str:
    space = world.project.space_hash
    version = f"student-{number}-{space}"
    world.services.registry.write(7, version, Notes(), {})
    versions.add(world.engine, 7, version, number, space, {}, 5)
    predictions.save(world.engine, 7, version, [(1, "h", "refund", 0.5), (2, "h", "refund", 0.5)])
    if promoted:
        projects.promote(world.engine, 7, version)
    else:
        versions.set_state(world.engine, 7, version, "rejected", "worse")
    return version


def test_the_served_one_and_its_predecessor_stay(world: World) -> None:
    tasks.add(world.engine, 7, {1: "one", 2: "two"})
    shown = f"student-3-{world.project.space_hash}"
    row = Annotation(1, 1, 1, ("refund",), "labelled", False, "2026-11-21T06:00:01.000000Z", shown, ("refund",))
    annotations.save(world.engine, 7, [row])
    names = [train(world, number, promoted=number in (1, 2)) for number in range(1, 7)]
    world.set_options(KEEP_VERSIONS=2)
    assert prune(world.job("publish")) == 2
    assert world.services.registry.versions(7) == [names[0], names[1], names[4], names[5]]
    states = {row.version: row.state for row in versions.list_versions(world.engine, 7)}
    assert [states[name] for name in names] == ["retired", "promoted", "removed", "removed", "rejected", "rejected"]
    assert set(predictions.read(world.engine, 7, names[2])) == {1}
    assert set(predictions.read(world.engine, 7, names[1])) == {1, 2}
    rows = versions.list_versions(world.engine, 7)
    assert choose(world.project, rows, "") == names[0]
    assert prune(world.job("publish")) == 0


STATES = st.sampled_from(["retired", "rejected", "removed", "trained", "publishing"])


@given(st.lists(st.tuples(STATES, st.integers(0, 50)), min_size=1, max_size=12), st.integers(2, 5), st.data())
def test_what_a_rollback_needs_is_never_superfluous(
    drawn: list[tuple[str, int]], keep: int, data: st.DataObject
) -> None:
    rows = [
        VersionRow(7, f"student-{number}-x", number, "x", state, "", {}, 0, number, promoted or None)
        for number, (state, promoted) in enumerate(drawn, 1)
    ][::-1]
    present = [row.version for row in rows if row.state != "removed"]
    served = data.draw(st.sampled_from([*present, None]))
    gone = {row.version for row in superfluous(rows, served, keep)}
    assert served not in gone
    assert not gone & set(present[:keep])
    assert gone <= set(present)
    earlier = [row for row in rows if row.promoted_ms and row.version != served and row.version in present]
    if earlier:
        assert max(earlier, key=lambda row: row.promoted_ms or 0).version not in gone
