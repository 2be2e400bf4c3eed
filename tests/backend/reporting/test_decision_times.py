"""What decisions take people: robust figures by what was ticked, how far ticks sway, and advice that follows."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from backend.pool import annotations, predictions, projects, tasks
from backend.pool.annotation import Annotation, merge
from backend.pool.set_aside import is_blind
from backend.pool.text import text_hash
from backend.projects.decisions import break_after, by_kind, difference, median_interval
from backend.projects.updates import remember
from backend.reporting.decision_times import decision_times
from backend.reporting.report import report_html
from model.evaluation import rate
from tests.support.samples import STUDENT, moment
from tests.support.world import CREATED, World


def test_breaks_are_cut_by_the_bulk_of_the_times() -> None:
    usual = [4.0, 5.0, 6.0, 5.5, 4.5, 7.0, 3.5, 5.0, 6.5] * 5
    limit = break_after([*usual, 3_600.0, 50_000.0])
    assert 7.0 < limit < 60.0
    assert break_after([60 * one for one in usual]) == pytest.approx(60 * break_after(usual))
    assert break_after([]) == math.inf


def test_the_median_lies_in_its_interval() -> None:
    middle, low, high = median_interval([float(one) for one in range(1, 101)])
    assert (middle, low, high) == (50.5, 41.0, 61.0)  # the 41st and the 61st of 100, at least 95 % for sure
    assert median_interval([3.0]) == (3.0, 3.0, 3.0)


def test_a_difference_of_shares_has_newcombes_interval() -> None:
    one, other = rate(56, 70), rate(48, 80)  # of his paper: 0.0524 to 0.3339
    assert one
    assert other
    assert difference(one, other) == pytest.approx((0.0524, 0.3339), abs=5e-4)


def decided(task: int, shown: list[str], label: str, seconds: float | None) -> Annotation:
    return Annotation(task, task, 1, (label,), "labelled", False, moment(1), STUDENT, tuple(shown), 0.9, moment(1), (),
                      seconds)  # fmt: skip


def test_the_first_submission_is_what_counts_in_any_order() -> None:
    first, later = decided(1, ["refund"], "refund", 4.0), decided(1, ["refund"], "billing", 30.0)
    later = Annotation(**{**{name: getattr(later, name) for name in later.__slots__}, "updated_at": moment(9)})
    assert merge(first, later) == merge(later, first)
    assert merge(first, later).lead_time == 4.0


def follow_ticks(world: World) -> None:
    """People take what is ticked though every third suggestion is wrong; hidden ones they correct."""
    share = 0.3
    settings = world.services.settings.model_copy(update={"BLIND_SHARE": share})
    world.services = type(world.services)(settings, world.engine, world.services.queue, world.services.clock)
    texts = {task: f"text {task}" for task in range(1, 401)}
    tasks.add(world.engine, 7, texts)
    version = f"student-1-{world.project.space_hash}"
    said = [(task, text_hash(text), "refund" if task % 3 else "billing", 0.9) for task, text in texts.items()]
    predictions.save(world.engine, 7, version, said)
    rows = []
    for task, _, label, _ in said:
        hidden = is_blind(7, task, share)
        seconds = (9.0 if hidden else 3.0) + task % 5 / 10 if task != 7 else 9_000.0
        row = decided(task, [] if hidden else [label], "refund" if hidden else label, seconds)
        rows.append(Annotation(**{**{name: getattr(row, name) for name in row.__slots__}, "shown_version": version}))
    annotations.save(world.engine, 7, rows)


def test_seconds_clicks_and_sway_of_a_project(world: World) -> None:
    follow_ticks(world)
    found = decision_times(world.current)
    single, nothing = found["kinds"]["single"], found["kinds"]["nothing"]
    assert (single["seconds"], nothing["seconds"]) == (3.2, 9.2)
    assert (single["clicks"], nothing["clicks"]) == (1.0, 2.0)
    assert found["kinds"].keys() == {"single", "nothing"}
    assert single["decisions"] + nothing["decisions"] == 399
    assert "1 that took longer than" in found["sentences"][0]
    assert found["sway"]["sway"] == pytest.approx(1 / 3, abs=0.1)
    assert "ticks change" in found["sentences"][1]
    assert "Ticks sway people" in found["advice"]
    assert "What a decision takes" in report_html(world.current)


def test_a_label_config_that_became_unreadable_leaves_the_figures(world: World) -> None:
    follow_ticks(world)
    found, now = by_kind(world.current), world.project
    assert now.space is not None
    projects.save_config(world.engine, 7, CREATED, now.title, "<View/>", now.space, "", {})
    assert world.current.project.label_config == "<View/>"
    assert {kind: row["seconds"] for kind, row in by_kind(world.current).items()} == {
        kind: row["seconds"] for kind, row in found.items()
    }


FORM = """<View><Text name="text" value="$text"/>
<Choices name="topic" toName="text"><Choice value="bill"/><Choice value="parcel"/></Choices>
<Choices name="wishes" toName="text" choice="multiple" answer="several"><Choice value="money"/><Choice value="speed"/>
</Choices></View>"""


def test_answers_to_several_questions_are_no_shortlist(world: World) -> None:
    remember(world.services, 7, CREATED, FORM)
    tasks.add(world.engine, 7, {task: f"text {task}" for task in range(1, 81)})
    said, meant = ["topic=bill", "wishes=money"], ("topic=parcel", "wishes=money", "wishes=speed")
    rows = []
    for task in range(1, 81):
        row = decided(task, said if task % 2 else [], "", (9.0 if task % 2 else 3.0) + task % 5 / 10)
        rows.append(replace(row, labels=meant))
    annotations.save(world.engine, 7, rows)
    found = decision_times(world.current)
    assert found["kinds"].keys() == {"answers", "nothing"}
    assert (found["kinds"]["answers"]["clicks"], found["kinds"]["nothing"]["clicks"]) == (3.0, 4.0)
    assert "with answers ticked 9.2 s" in found["sentences"][0]
    assert found["advice"] == "Ticked answers take longer than none: set a larger BLIND_SHARE"
