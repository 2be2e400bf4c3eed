"""How many labels are ticked, where that is left to what decisions take people."""

from __future__ import annotations

from backend.label_studio.predictions import label_entry, ticks
from backend.pool import projects
from backend.projects.decisions import better_way
from backend.projects.updates import remember
from backend.reporting.decision_times import decision_times
from backend.training.ticks import choose_ticks
from tests.backend.reporting.test_decision_times import follow_ticks
from tests.support.label_studio_double import CONFIG
from tests.support.world import CREATED, World

LISTED = CONFIG.replace('choice="multiple" answer="one"', 'choice="single"').replace(
    "<View>", '<View><TextArea name="candidates" toName="text" editable="false" maxSubmissions="0"/>'
)


def leave(world: World, to: str) -> None:
    world.set_options(TICKS=to)


def test_ticks_that_sway_people_are_left_out_and_the_page_says_so(world: World) -> None:
    remember(world.services, 7, CREATED, LISTED)
    follow_ticks(world)
    teacher = world.current.teacher_version
    assert choose_ticks(world.job("train")) == "", "nobody has left it to their decisions"
    assert "Ticks sway people" in decision_times(world.current)["advice"]

    leave(world, "auto")
    assert choose_ticks(world.job("train")) == "none"
    assert choose_ticks(world.job("train")) == "", "it is chosen already"
    now = world.current
    assert (now.options.PRESELECT, now.facts.stated.PRESELECT) == (False, True)
    entry = label_entry(now.control, "student-1-aaaaaa", "refund", 0.9, now.options.PRESELECT)
    assert ticks(now.control, ("refund",)) not in entry["result"]
    assert now.teacher_version == teacher, "the teacher is asked as before"
    assert "TICKS=auto nothing is ticked" in decision_times(now)["advice"]

    leave(world, "fixed")
    assert choose_ticks(world.job("train")) == ""
    assert world.project.ticks == ""
    assert world.current.options.PRESELECT


def test_where_labels_are_not_listed_something_stays_ticked(world: World) -> None:
    follow_ticks(world)
    leave(world, "auto")
    assert choose_ticks(world.job("train")) == ""
    assert "Ticks sway people" in decision_times(world.current)["advice"]


def test_shortlists_that_take_longer_than_nothing_are_cut_to_one_label_for_people_alone(world: World) -> None:
    slow, quick = {"low": 9.0, "high": 11.0}, {"low": 4.0, "high": 6.0}
    assert better_way({"shortlist": slow, "nothing": quick}, None) == "one"
    assert better_way({"shortlist": quick, "nothing": slow}, None) == ""
    assert better_way({"single": slow, "nothing": quick}, None) == "none"
    leave(world, "auto")
    teacher = world.current.teacher_version
    projects.set_ticks(world.engine, 7, "one")
    assert world.current.options.MAX_CANDIDATES == 1
    assert world.current.facts.teacher_options.max_candidates == 5
    assert world.current.teacher_version == teacher
