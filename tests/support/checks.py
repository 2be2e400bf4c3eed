"""What a pool and a Label Studio must look like when all is done."""

from __future__ import annotations

from collections import Counter

from backend.pool import annotations, candidates, jobs, tasks
from backend.pool.annotations import human_labels
from tests.support.world import World, messages


def fill(world: World, times: int = 2, decided: int = 24) -> dict[int, str]:
    """Tasks with their true labels, of which people decided some."""
    rows = messages(times)
    ids = world.double.add_tasks([text for text, _ in rows])
    truth = {task: label for task, (_, label) in zip(ids, rows, strict=True)}
    for task in ids[:: max(1, len(ids) // decided)][:decided]:
        world.double.annotate(task, [truth[task]])
    return truth


def doubles(world: World) -> dict[object, int]:
    counts = Counter((row["task"], row["model_version"]) for row in world.double.predictions)
    return {key: number for key, number in counts.items() if number > 1}


def check_all_is_well(world: World, truth: dict[int, str]) -> str:
    """Everything was asked, trained, promoted and published exactly once; the served version."""
    project, version = world.project, world.current.teacher_version
    assert tasks.all_ids(world.engine, 7) == sorted(truth)
    assert set(candidates.read(world.engine, 7, version)) == set(truth)
    served = project.served
    assert served is not None
    final = set(human_labels(world.engine, 7))
    assert len(final) == 24
    shown = {row["task"]: row for row in world.double.predictions if row["model_version"] == served}
    assert set(shown) == set(truth) - final
    assert all(len(row["result"][0]["value"]["choices"]) == 1 for row in shown.values())
    assert doubles(world) == {}
    assert {kind: row.state for kind, row in jobs.get(world.engine, 7).items()}["train"] == "idle"
    right = sum(row["result"][0]["value"]["choices"] == [truth[task]] for task, row in shown.items())
    assert right > 0.6 * len(shown)
    return served


def in_label_studio(world: World) -> dict[int, tuple[str, ...]]:
    """Labels by annotation."""
    return {
        row["id"]: tuple(row["result"][0]["value"]["choices"]) if row["result"] else ()
        for task in world.double.tasks.values()
        for row in task["annotations"]
    }


def in_pool(world: World) -> dict[int, tuple[str, ...]]:
    """The same as the pool knows it."""
    rows = [row for found in annotations.of_tasks(world.engine, 7).values() for row in found]
    return {row.annotation: row.labels for row in rows if row.state != "deleted"}
