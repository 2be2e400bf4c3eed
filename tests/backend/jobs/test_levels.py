"""A Rating as the only question: its levels are in order, from the label config to answers and figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.jobs import annotate, train
from backend.pool import predictions, tasks, versions
from backend.projects.updates import remember
from backend.reporting.report import report_html
from backend.reporting.status import project_status
from backend.serving.answers import answers
from backend.training.promotion import Reference, Said, judge
from model.calibration import Calibration
from model.labels import LabelSpace
from tests.support.world import CREATED, World

CONFIG = '<View><Text name="text" value="$text"/><Rating name="stars" toName="text" maxRating="3"/></View>'
WORDS = {1: "I am very angry, all is broken", 2: "it is neither good nor bad", 3: "thank you, I am happy"}
ROWS = [(f"{WORDS[level]} ({turn})", level) for turn in range(40) for level in WORDS]
SPACE = LabelSpace.from_json({**LabelSpace.of(["1", "2", "3", "4"]).to_json(), "answer": "ordered"})


def rated(level: int) -> list[dict[str, Any]]:
    return [{"from_name": "stars", "to_name": "text", "type": "rating", "value": {"rating": level}}]


@pytest.fixture
def world_of_stars(world: World) -> World:
    world.double.fields["label_config"] = CONFIG
    remember(world.services, 7, CREATED, CONFIG)
    ids = world.double.add_tasks([text for text, _ in ROWS])
    tasks.add(world.engine, 7, {task: text for task, (text, _) in zip(ids, ROWS, strict=True)})
    return world


def test_levels_are_learned_answered_and_judged_by_how_near_they_are(world_of_stars: World) -> None:
    world = world_of_stars
    assert world.current.space.answer == "ordered"
    assert world.current.space.hash == LabelSpace(world.current.space.labels, world.current.space.scope).hash
    annotate.work(world.job("annotate"))
    for task, (_, level) in enumerate(ROWS[:90], start=1):
        world.double.annotate(task, [])
        world.double.tasks[task]["annotations"][-1]["result"] = rated(level)
    said = train.work(world.job("train"))
    (row,) = versions.list_versions(world.engine, 7)
    assert row.state == "publishing", said
    assert row.metrics["mean_error"] == pytest.approx(0.0, abs=0.2)
    assert row.metrics["quadratic_kappa"] > 0.8
    given = predictions.read(world.engine, 7, row.version, tasks.all_ids(world.engine, 7))
    assert sum(label == str(ROWS[task - 1][1]) for task, (_, label, _) in given.items()) > 0.8 * len(given)
    found = project_status(world.current)["near"]["teacher"]
    assert found["tasks"] == 90
    assert found["mean_error"] is not None
    assert "levels, quadratic kappa" in report_html(world.current)


def test_places_in_a_tree_are_told_with_what_is_above_them(world: World) -> None:
    tree = '<Choice value="Money"><Choice value="In"/><Choice value="Out"/></Choice>'
    config = f'<View><Text name="text" value="$text"/><Taxonomy name="topic" toName="text">{tree}</Taxonomy></View>'
    world.double.fields["label_config"] = config
    remember(world.services, 7, CREATED, config)
    ids = world.double.add_tasks(["money goes out", "money comes in"])
    tasks.add(world.engine, 7, dict(zip(ids, ["money goes out", "money comes in"], strict=True)))
    annotate.work(world.job("annotate"))
    for task in ids:
        world.double.annotate(task, [])
        region = {"from_name": "topic", "to_name": "text", "type": "taxonomy", "value": {"taxonomy": [["Money", "In"]]}}
        world.double.tasks[task]["annotations"][-1]["result"] = [region]
    train.synchronise(world.job("sync"), complete=True)
    found = project_status(world.current)["near"]["teacher"]
    assert found["tasks"] == 2
    assert 0.0 < found["hierarchical_f1"] <= 1.0


def test_the_answer_is_the_median_and_a_shortlist_holds_all_levels_between() -> None:
    shares = np.array([[0.4, 0.05, 0.2, 0.35], [0.0, 0.9, 0.1, 0.0]], np.float32)
    unsure = Calibration(1.0, 0.8, 50, 0.68, (), "")
    first, second = answers(SPACE, shares, unsure)
    assert (first.label, round(first.score, 2)) == ("3", 0.2)
    assert first.shortlist is not None
    assert first.shortlist.labels == ("3", "1", "4", "2")
    assert (second.label, second.shortlist) == ("2", None)
    plain = answers(LabelSpace.of(SPACE.names), shares, unsure)[0]
    assert plain.label == "1"
    assert plain.shortlist is not None
    assert plain.shortlist.labels == ("1", "4")


def test_a_student_that_is_farther_off_is_rejected_though_it_is_right_as_often() -> None:
    truth = dict.fromkeys(range(40), "1")
    near, far = ({task: "1" if task < 20 else other for task in truth} for other in ("2", "4"))
    levels = Reference(levels=SPACE.names)
    verdict = judge(truth, Said("it", far), Said("student-1-abcdef", near), levels)
    assert not verdict.accepted
    assert "off by 1.50 levels, student-1-abcdef by 0.50" in verdict.reason
    assert judge(truth, Said("it", near), Said("student-1-abcdef", far), levels).accepted
    assert judge(truth, Said("it", far), Said("student-1-abcdef", near), Reference()).accepted
