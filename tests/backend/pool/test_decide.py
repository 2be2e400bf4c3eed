from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.pool.annotation import Annotation, Meaning, decide, tombstone
from model.groups import Group
from model.labels import Decision, HumanLabel, Label, LabelSpace
from tests.support.samples import labelled, moment

LABELS = ["billing", "refund", "shipping"]
rows = st.builds(
    Annotation,
    annotation=st.integers(1, 9),
    task=st.just(3),
    annotator=st.none() | st.integers(1, 4),
    labels=st.lists(st.sampled_from(LABELS), min_size=1, unique=True).map(tuple),
    state=st.just("labelled"),
    ground_truth=st.booleans(),
    updated_at=st.integers(0, 9).map(moment),
)
tasks = st.lists(rows, min_size=1, max_size=6, unique_by=lambda row: row.annotation)


def skipped(annotation: int, annotator: int = 1, at: int = 1) -> Annotation:
    return Annotation(annotation, 3, annotator, (), "skipped", False, moment(at))


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        pytest.param([], None, id="nobody did anything"),
        pytest.param([labelled(1, 3, "refund")], ("refund",), id="one person, one label"),
        pytest.param([labelled(1, 3, "refund", "billing")], ("refund", "billing"), id="one person narrowed"),
        pytest.param([skipped(1)], (), id="skipped"),
        pytest.param([tombstone(1, 3, moment(1))], None, id="deleted"),
        pytest.param([Annotation(1, 3, 1, (), "empty", False, moment(1))], None, id="submitted empty"),
        pytest.param([skipped(1), labelled(2, 3, "refund", annotator=2)], ("refund",), id="skipped by one only"),
        pytest.param([skipped(1), skipped(2, 2)], (), id="skipped by all"),
        pytest.param(
            [labelled(1, 3, "refund", at=1), labelled(2, 3, "billing", at=2)], ("billing",), id="newest of a person"
        ),
        pytest.param([labelled(1, 3, "refund", at=1), skipped(2, at=2)], (), id="changed their mind and skipped"),
        pytest.param(
            [labelled(1, 3, "refund", annotator=None), labelled(2, 3, "billing", annotator=None)],
            ("refund", "billing"),
            id="nobody's annotations count each",
        ),
        pytest.param(
            [labelled(n, 3, label, annotator=n) for n, label in enumerate(["refund", "billing", "refund"])],
            ("refund",),
            id="majority",
        ),
        pytest.param(
            [labelled(n, 3, label, annotator=n) for n, label in enumerate(["refund", "billing"])],
            ("refund", "billing"),
            id="a tie stays a set",
        ),
        pytest.param(
            [labelled(1, 3, "refund", "billing", annotator=1), labelled(2, 3, "billing", annotator=2)],
            ("billing",),
            id="what a narrowed set and a final label share",
        ),
        pytest.param(
            [replace(labelled(1, 3, "refund", annotator=1), ground_truth=True)]
            + [labelled(n, 3, "billing", annotator=n, at=9) for n in (2, 3, 4)],
            ("refund",),
            id="ground truth beats a majority",
        ),
        pytest.param(
            [replace(labelled(1, 3, "refund", at=1), ground_truth=True), labelled(2, 3, "billing", at=2)],
            ("refund",),
            id="ground truth beats a newer one by the same person",
        ),
        pytest.param(
            [replace(skipped(1), ground_truth=True), labelled(2, 3, "billing", annotator=2)],
            ("billing",),
            id="a starred skip is no truth",
        ),
    ],
)
def test_who_counts(annotations: list[Annotation], expected: tuple[str, ...] | None) -> None:
    decided = decide(annotations)
    assert decided == (None if expected is None else HumanLabel(expected))


@given(st.data(), tasks)
def test_the_order_of_annotations_does_not_matter(data: st.DataObject, task: list[Annotation]) -> None:
    assert decide(data.draw(st.permutations(task))) == decide(task)


@given(tasks)
def test_the_decision_is_made_of_what_people_ticked(task: list[Annotation]) -> None:
    decided = decide(task)
    assert decided is not None
    assert decided.decision is not Decision.SKIPPED
    assert set(decided.labels) <= {label for row in task for label in row.labels}


@given(tasks, st.sampled_from(LABELS))
def test_unanimity(task: list[Annotation], label: str) -> None:
    assert decide([replace(row, labels=(label,)) for row in task]) == HumanLabel((label,))


@given(tasks, st.sampled_from(LABELS))
def test_one_more_voice_for_a_tied_label_decides(task: list[Annotation], label: str) -> None:
    plain = [replace(row, ground_truth=False) for row in task]
    before = decide(plain)
    assert before is not None
    if label in before.labels:
        assert decide([*plain, labelled(99, 3, label, annotator=99)]) == HumanLabel((label,))


SEVERAL, SOME = Meaning(True, 0), Meaning(True, 1)


def nothing(annotation: int, annotator: int = 1, *unknown: str) -> Annotation:
    return Annotation(annotation, 3, annotator, (), "empty", False, moment(annotation), unknown=unknown)


@pytest.mark.parametrize(
    ("annotations", "meaning", "labels", "certain"),
    [
        pytest.param([labelled(1, 3, "refund", "other")], SEVERAL, ["refund", "other"], ["refund", "other"], id="all"),
        pytest.param([nothing(1)], SEVERAL, [], [], id="no label applies"),
        pytest.param(
            [labelled(1, 3, "refund", "billing"), labelled(2, 3, "refund", annotator=2)],
            SEVERAL, ["refund", "billing"], ["refund"], id="half of the voices leave it open",
        ),
        pytest.param(
            [labelled(1, 3, "refund"), nothing(2, 2), nothing(3, 3)], SEVERAL, [], [], id="most tick nothing"
        ),
        pytest.param([skipped(1), labelled(2, 3, "refund", annotator=2)], SOME, ["refund"], ["refund"], id="one skips"),
    ],
)  # fmt: skip
def test_where_several_labels_are_right_each_is_voted_about(
    annotations: list[Annotation], meaning: Meaning, labels: list[str], certain: list[str]
) -> None:
    assert decide(annotations, meaning) == HumanLabel(tuple(labels), tuple(certain))


@pytest.mark.parametrize(
    ("annotation", "meaning"),
    [(nothing(1), SOME), (nothing(1), Meaning()), (nothing(1, 1, "gone"), SEVERAL)],
)
def test_no_tick_is_no_answer_where_one_is_wanted_or_what_was_ticked_is_gone(
    annotation: Annotation, meaning: Meaning
) -> None:
    assert decide([annotation], meaning) is None


QUESTIONS = Meaning(
    True,
    1,
    LabelSpace(
        tuple(map(Label, ("mood=bad", "mood=good", "topics=price", "topics=driver"))),
        "",
        "several",
        1,
        (Group("mood", "one", 0, 2), Group("topics", "any", 2, 4, 0)),
    ),
)


def test_each_question_is_decided_by_those_who_answered_it() -> None:
    first = labelled(1, 3, "mood=bad", "topics=price", annotator=1)
    second = labelled(2, 3, "mood=bad", annotator=2)  # left the topics open
    third = labelled(3, 3, "mood=good", "topics=price", "topics=driver", annotator=3)
    found = decide([first, second, third], QUESTIONS)
    assert found == HumanLabel(("mood=bad", "topics=price", "topics=driver"), ("mood=bad", "topics=price"))
    assert found.decision is Decision.NARROWED
    alone = decide([second], QUESTIONS)
    assert alone == HumanLabel(("mood=bad",), ("mood=bad",))
    assert alone.decision is Decision.FINAL  # of what was answered


def test_a_shortlist_left_as_it_is_decides_nothing_and_labels_that_are_gone_say_nothing() -> None:
    both = decide([labelled(1, 3, "mood=bad", "mood=good", "topics=price")], QUESTIONS)
    assert both == HumanLabel(("topics=price", "mood=bad", "mood=good"), ("topics=price",))
    assert decide([labelled(1, 3, "bad", "colour=red")], QUESTIONS) is None
    assert decide([labelled(1, 3, "mood=bad", "colour=red")], QUESTIONS) == HumanLabel(("mood=bad",), ("mood=bad",))
    assert decide([Annotation(1, 3, 1, (), "empty", False, moment(1))], QUESTIONS) is None
    assert decide([skipped(1)], QUESTIONS) == HumanLabel(())
