"""What people's decisions say about a committee: is the LLM alone better, and who of the members is worth a seat?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.pool import annotations, candidates, projects, rulings, tasks, versions
from backend.pool.text import text_hash
from backend.reporting.committee_quality import advice, deciders, members
from backend.reporting.status import project_status
from backend.reporting.wording import what_next
from tests.support.samples import answered, labelled
from tests.support.world import World

FOUND = {
    "members": ["student", "names"], "weights": [0.75, 0.25],
    "compared": {"rows": 40, "voted": [40, 0], "right": [30, 0], "same": [[1.0, None], [None, None]]},
    "gates": {"student": {"promoted": False, "reason": "less accurate on people's labels"}},
}  # fmt: skip


def serve_committee(world: World) -> str:
    version = f"committee-1-{world.project.space_hash}"
    versions.add(world.engine, 7, version, 1, str(world.project.space_hash), {"training": {"found": FOUND}}, 40)
    projects.promote(world.engine, 7, version)
    return version


def decide(world: World, committee: str, teacher_right: int) -> str:
    """60 tasks that people call billing: the votes said so for half of them, the teacher for `teacher_right`."""
    taught = world.current.teacher_version
    tasks.add(world.engine, 7, dict.fromkeys(range(1, 61), "a text"))
    votes = {task: "billing" if task % 2 else "refund" for task in range(1, 61)}
    rows = [replace(labelled(task, task, "billing"), shown_version=committee, shown_labels=(votes[task],))
            for task in votes]  # fmt: skip
    annotations.save(world.engine, 7, rows)
    rulings.save(world.engine, 7, committee, dict.fromkeys(votes, "committee"))
    said = [(task, text_hash("a text"), answered("billing" if task <= teacher_right else "refund")) for task in votes]
    candidates.save(world.engine, 7, taught, said)
    return taught


@pytest.mark.parametrize(("teacher_right", "better"), [(55, True), (38, False), (10, False)])
def test_it_is_said_when_the_llm_alone_is_surely_better(world: World, teacher_right: int, better: bool) -> None:
    committee = serve_committee(world)
    taught = decide(world, committee, teacher_right)
    said = advice(world.current, committee, taught)
    assert (said is not None) == better
    if said is not None:
        assert said.startswith(
            "The teacher is right more often (92% of 60 checked tasks) than the committee's votes (50%"
        )
        assert said in what_next(project_status(world.current))
    assert advice(world.current, "student-1-abcdef", taught) is None


def test_members_are_told_with_weight_accuracy_and_agreement(world: World) -> None:
    committee = serve_committee(world)
    first, second = members(world.current, committee) or []
    assert (first["weight"], first["right"], first["judged"]) == (0.75, 0.75, 40)
    assert first["kept_old"] == "less accurate on people's labels"
    assert (second["right"], second["agrees"]) == (None, {"student": None, "names": None})
    assert deciders(world.current, committee) == {}
    assert members(world.current, "student-1-abcdef") is None
