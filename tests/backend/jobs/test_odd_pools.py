"""Pools that a sceptic would try: all texts equal, one label alone, hardly any task. A promise holds or is not made."""

from __future__ import annotations

import pytest

from backend.errors import ProjectError
from backend.jobs import annotate, finish, publish, sync, train
from backend.pool import predictions, promises, tasks
from backend.pool.promises import Promise
from backend.pool.text import text_hash
from backend.projects.finishing import ask_to_finish, check_wish
from backend.projects.updates import remember
from backend.reporting.certificate import checks
from backend.reporting.promise import promise_status
from backend.serving.publishing.looking import UNANSWERED, standing_answers
from model.whole_answers import labels_of
from tests.support.audits import TARGET, fill
from tests.support.world import CREATED, World, messages


def begin(world: World, texts: list[str]) -> list[int]:
    world.set_options(TARGET_ERROR=TARGET)
    world.double.fields["sampling"] = "Uncertainty sampling"
    ids = fill(world, texts)
    annotate.work(world.job("annotate"))
    return ids


def decide(world: World, gold: dict[int, str]) -> None:
    for task, label in gold.items():
        world.double.annotate(task, [label])
    sync.work(world.job("sync"))


def told(world: World) -> str:
    found = promise_status(world.current)
    assert found is not None
    return str(found["sentence"])


def decided_as_asked(world: World, gold: dict[int, str]) -> Promise:
    """People answer what is asked, until there is a promise or none can be made."""
    decide(world, dict(list(gold.items())[:20]))
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    for _ in range(8):
        made = promises.get(world.engine, 7)
        assert made is not None
        if made.state != "auditing":
            return made
        decide(world, {task: gold[task] for task in promises.asked_for(world.engine, 7)})
        publish.work(world.job("publish"))
    raise AssertionError(f"the audit does not end: {made}")


def test_a_pool_with_one_label_alone_is_finished(world: World) -> None:
    texts = [text for text, label in messages(48) if label == "refund"]
    gold = dict.fromkeys(begin(world, texts), "refund")
    made = decided_as_asked(world, gold).certificate
    assert made is not None
    assert made["accepted"] > 100
    assert [name for name, said, again in checks(world.current, made) if said != again] == []
    ask_to_finish(world.current, "annotations")
    assert finish.work(world.job("finish")).startswith(f"{made['accepted']} tasks")


@pytest.mark.parametrize("every", [2, 5])
def test_of_one_text_that_people_label_differently_nothing_is_promised(world: World, every: int) -> None:
    ids = begin(world, ["please give me my money back"] * 240)
    gold = {task: "refund" if place % every else "billing" for place, task in enumerate(ids)}
    assert decided_as_asked(world, gold).state == "given up", "more than a tenth are wrong, whatever is said"
    assert "deciding all is nearly as fast: no promise is made until 24 tasks are left" in told(world)


def test_of_one_text_with_one_label_nothing_can_be_learned(world: World) -> None:
    ids = begin(world, ["please give me my money back"] * 40)
    decide(world, dict.fromkeys(ids[:20], "refund"))
    assert "at least two labels are needed to learn" in train.work(world.job("train"))
    publish.work(world.job("publish"))
    assert "begins once a student is served" in told(world)
    decide(world, dict.fromkeys(ids[20:], "refund"))
    assert "No promise is needed" in told(world)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_tiny_pool_needs_no_promise_once_people_have_decided_all(world: World, number: int) -> None:
    gold = dict(zip(begin(world, [text for text, _ in messages(1)[:number]]), ["billing"] * number, strict=True))
    publish.work(world.job("publish"))
    assert "begins once a student is served" in told(world)
    decide(world, gold)
    assert told(world) == "No promise is needed: people have decided all tasks, and nothing is left to a student"
    with pytest.raises(ProjectError, match="no promise is needed"):
        check_wish(world.current, "annotations")


def test_a_pool_of_thirty_tasks_says_what_is_left_and_ends(world: World) -> None:
    rows = messages(2)
    gold = dict(zip(begin(world, [text for text, _ in rows]), [label for _, label in rows], strict=True))
    some = dict(list(gold.items())[:20])
    decide(world, some)
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    decide(world, {task: label for task, label in gold.items() if task not in some})
    publish.work(world.job("publish"))
    made = promises.get(world.engine, 7)
    if made is None:  # no student was good enough
        assert "No promise is needed" in told(world)
        return
    assert made.certificate is not None
    assert made.certificate["accepted"] == 0
    ask_to_finish(world.current, "annotations")
    assert finish.work(world.job("finish")).startswith("0 tasks")


FLAGS = """<View><Text name="text" value="$text"/>
<Choices name="late" toName="text"><Choice value="the parcel is late"/></Choices>
<Choices name="angry" toName="text"><Choice value="the customer is angry"/></Choices></View>"""


def test_an_answer_that_ticks_nothing_is_left_to_people(world: World) -> None:
    remember(world.services, 7, CREATED, FLAGS)
    tasks.add(world.engine, 7, {1: "where is it?", 2: "thank you"})
    names = world.current.space.names
    said = {1: [names[0], names[3]], 2: [names[1], names[3]]}
    rows = [(task, text_hash(text), said[task][0], 0.9) for task, text in {1: "where is it?", 2: "thank you"}.items()]
    predictions.save(world.engine, 7, "student-1-aaaaaa", rows, said)
    found = standing_answers(world.job("publish"), "student-1-aaaaaa", [1, 2])
    assert labels_of(world.current.space, found[1][0]) == ("late=the parcel is late", names[3])
    assert found[2] == UNANSWERED, "nobody could tell in Label Studio who said so"
