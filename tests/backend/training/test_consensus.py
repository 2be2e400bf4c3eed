"""Tasks that several people decided are learned by their consensus, others by what the one person said."""

from __future__ import annotations

from backend.pool import annotations
from backend.pool.votes import against_others, disputed, shared_votes
from backend.reporting.annotators import annotators
from backend.reporting.report import report_html
from backend.training.consensus import LEAST, with_consensus
from model.labels import HumanLabel
from tests.support.samples import labelled
from tests.support.world import World

KINDS = ("billing", "refund", "shipping")


def decide(world: World, tasks: int) -> dict[int, HumanLabel]:
    """Annotators 1 and 2 agree with each other, 3 errs on every other task; of the last task 1 and 3 disagree."""
    rows = []
    for task in range(1, tasks + 1):
        right = KINDS[task % 3]
        wrong = KINDS[(task + 1) % 3]
        votes = {1: right, 2: right, 3: right if task % 2 else wrong}
        if task == tasks:
            votes = {1: right, 3: wrong}
        rows += [labelled(10 * task + who, task, label, annotator=who) for who, label in votes.items()]
    rows.append(labelled(1, 500, "refund", annotator=3))
    annotations.save(world.engine, 7, rows)
    return annotations.human_labels(world.engine, 7)


def test_a_tie_goes_to_whom_the_others_agree_with_and_a_single_voice_stands(world: World) -> None:
    tasks = 2 * LEAST
    plain = decide(world, tasks)
    assert len(plain[tasks].labels) == 2
    found = with_consensus(world.engine, 7, world.current.space, plain)
    assert found[tasks].labels == (KINDS[tasks % 3],)
    assert found[500] == plain[500]
    assert {task: label for task, label in found.items() if task not in (tasks,)} == {
        task: label for task, label in plain.items() if task != tasks
    }
    counts = against_others(shared_votes(world.engine, 7))
    assert counts[3] == (LEAST, tasks)
    assert counts[1][1] == LEAST + 1  # where the two others differ, nothing is counted
    told = annotators(world.current)
    assert [one["name"] for one in told] == ["annotator A", "annotator B", "annotator C"]
    assert (told[0]["agrees"]["value"], told[2]["agrees"]["value"]) == (LEAST / (LEAST + 1), 0.5)
    assert annotators(world.current, named=True)[2]["name"] == "user 3"
    assert disputed(world.engine, 7, 3) == (2, 4, 6)
    assert len(disputed(world.engine, 7, 500)) == LEAST
    assert "annotator C agrees in 50.0 % of 40" in report_html(world.current)


def test_few_shared_tasks_keep_the_plain_majority(world: World) -> None:
    plain = decide(world, LEAST - 2)
    assert with_consensus(world.engine, 7, world.current.space, plain) == plain
