"""A student of several questions is judged on each of them."""

from __future__ import annotations

from backend.training.several import Served, judge_all
from model.groups import Group, When
from model.labels import Label, LabelSpace

GROUPS = (
    Group("mood", "one", 0, 2),
    Group("topics", "any", 2, 4, 0),
    Group("why", "one", 4, 6, 1, (When(("mood=bad",)),)),
)
NAMES = ("mood=bad", "mood=good", "topics=a", "topics=b", "why=x", "why=y")
SPACE = LabelSpace(tuple(map(Label, NAMES)), "", "several", 1, GROUPS)
TRUTH = {
    task: ("mood=bad" if task % 2 else "mood=good", "topics=a" if task % 3 else "topics=b")
    + (("why=x" if task % 4 == 1 else "why=y",) if task % 2 else ())
    for task in range(80)
}
ALL = frozenset(group.start for group in GROUPS)


def without(question: str, every: int = 2) -> dict[int, tuple[str, ...]]:
    """Right answers, but for every second one to one question, which names the other label."""
    other = {"mood=bad": "mood=good", "mood=good": "mood=bad", "topics=a": "topics=b", "topics=b": "topics=a",
             "why=x": "why=y", "why=y": "why=x"}  # fmt: skip
    return {
        task: tuple(other[one] if one.startswith(question) and task // 4 % every == 0 else one for one in labels)
        for task, labels in TRUTH.items()
    }


def test_one_that_is_worse_on_one_question_than_the_served_student_is_rejected() -> None:
    served = Served("student-1", TRUTH, ALL)
    good, left = judge_all(SPACE, GROUPS, TRUTH, TRUTH, served, TRUTH, TRUTH)
    assert good.accepted
    assert left == []
    worse, left = judge_all(SPACE, GROUPS, TRUTH, without("topics"), served, TRUTH, TRUTH)
    assert not worse.accepted
    assert "topics: rejected as worse than what is served" in worse.reason
    assert left == []
    better = judge_all(SPACE, GROUPS, TRUTH, TRUTH, Served("student-1", without("topics"), ALL), TRUTH, TRUTH)
    assert better[0].accepted


def test_where_the_teacher_does_better_the_question_and_what_hangs_on_it_stay_with_it() -> None:
    teacher = Served("the teacher", TRUTH)
    found, left = judge_all(SPACE, GROUPS, TRUTH, without("mood"), teacher, TRUTH, TRUTH)
    assert found.accepted
    assert [group.name for group in left] == ["mood", "why"]
    assert "mood: stays with the teacher" in found.reason


def test_a_question_that_always_gets_the_same_answer_stays_with_the_teacher() -> None:
    same = {task: tuple("topics=a" if one == "topics=b" else one for one in labels) for task, labels in TRUTH.items()}
    few = {task: TRUTH[task] for task in range(5)}  # too few to be judged
    found, left = judge_all(SPACE, GROUPS, few, same, Served("the teacher", TRUTH), same, TRUTH)
    assert found.accepted
    assert [group.name for group in left] == ["topics"]
    flat = dict.fromkeys(TRUTH, ("mood=bad", "topics=a", "why=x"))
    none, left = judge_all(SPACE, GROUPS, few, flat, Served("the teacher", TRUTH), flat, TRUTH)
    assert not none.accepted
    assert left == []
