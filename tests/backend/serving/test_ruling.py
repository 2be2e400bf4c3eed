"""Who decides what in MODE=committee: votes, the LLM on what they leave open, people on the rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytest_httpserver import HTTPServer

from backend.jobs import annotate, publish, train
from backend.pool import candidates, jobs, predictions, rulings, shortlists, tasks, versions
from backend.pool.text import text_hash
from backend.reporting.prompt_preview import question_of
from backend.reporting.status import project_status
from backend.serving.ruling import accepted, counted, decisions, together
from backend.teacher import acquisition, budget_stages
from backend.training.committee import Agreed, replay, served_committee
from backend.training.encoder import project_embedder
from model.committee.pooling import Confusion, Pooling
from model.committee.replay import held_out
from model.committee.reviewer import Reviewer
from model.committee.ruling import Source
from model.labels import CandidateSet
from model.training.data import training_data
from tests.support.llm import says, with_llm
from tests.support.llm_server import OpenAIServer
from tests.support.world import World, messages

MEMBERS = {"MODE": "committee", "COMMITTEE": "student,words,names", "BLIND_SHARE": 0.0}


@pytest.fixture
def llm(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """Sixty tasks and an LLM on loopback; the first committee is trained on fifteen answers."""
    rows = [text for text, _ in messages(4)]
    tasks.add(world.engine, 7, dict(zip(world.double.add_tasks(rows), rows, strict=True)))
    monkeypatch.setattr(budget_stages, "FIRST", 15)
    monkeypatch.setattr(acquisition, "FIRST_QUEUE", 15)
    server = HTTPServer(port=0, threaded=True)
    server.start()
    found = OpenAIServer(server, says)
    with_llm(world, found.base_url, LLM_CONCURRENCY=1, SERVE_UNSURE="shortlist", VOTING="unanimous", **MEMBERS)
    jobs.begin(world.engine, 7, "annotate")
    yield found
    server.stop()


def asked(world: World) -> set[int]:
    return set(candidates.read(world.engine, 7, world.current.teacher_version))


def first_committee(world: World) -> str:
    """Ask about the first tasks, train on them, serve."""
    assert "a student learns" in annotate.work(world.job("annotate"))
    assert 15 <= len(asked(world)) <= 16
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    assert world.current.chooser.startswith("committee-1-")
    return world.current.chooser


def test_the_llm_is_asked_only_what_the_votes_leave_open(world: World, llm: OpenAIServer) -> None:
    version, before = first_committee(world), asked(world)
    open_tasks = rulings.of_source(world.engine, 7, version, "unresolved") - before
    counts = rulings.counts(world.engine, 7, version)
    assert sum(counts.values()) == 60
    assert counts["committee"] > 0
    assert 0 < len(open_tasks) < 45
    said = annotate.work(world.job("annotate"))
    assert said.endswith("the committee decides the rest")
    assert asked(world) == before | open_tasks
    assert world.services.queue.place("train", 7) == "waiting"
    status = project_status(world.current)
    assert status["decided_by"] == {**counts, "person": 0}
    third = {
        "weight": round(1 / 3, 4),
        "kept_old": None,
        "judged": 0,
        "right": None,
        "agrees": {},
    }  # nobody labelled yet
    assert status["members"] == [{"name": name, **third} for name in ("student", "words", "names")]

    train.work(world.job("train"))
    publish.work(world.job("publish"))
    second = world.current.chooser
    assert second.startswith("committee-2-")
    settled = rulings.of_source(world.engine, 7, second, "llm")
    assert settled <= asked(world)  # the votes did not agree, one label was left by the LLM
    texts = tasks.texts(world.engine, 7, settled)
    for task, row in predictions.read(world.engine, 7, second, settled).items():
        assert row[1] in says(texts[task])


def test_people_get_a_shortlist_of_what_nobody_decided(world: World, llm: OpenAIServer) -> None:
    version = first_committee(world)
    unresolved = rulings.of_source(world.engine, 7, version, "unresolved")
    lists = shortlists.read(world.engine, 7, version, unresolved)
    assert set(lists) == unresolved
    shown = {row["task"]: row["result"][0]["value"]["choices"] for row in world.double.predictions
             if row["model_version"] == version}  # fmt: skip
    assert {task: tuple(shown[task]) for task in unresolved} == {task: found.labels for task, found in lists.items()}
    assert all(len(shown[task]) == 1 for task in set(shown) - unresolved)


def test_what_the_web_process_answered_counts_as_the_committees(world: World, llm: OpenAIServer) -> None:
    version = first_committee(world)
    (late,) = world.double.add_tasks(["where is my parcel"])
    tasks.add(world.engine, 7, {late: "where is my parcel"})
    predictions.save(world.engine, 7, version, [(late, text_hash("where is my parcel"), "shipping", 0.9)])
    publish.work(world.job("publish"))
    assert late in rulings.of_source(world.engine, 7, version, "committee")
    tasks.remove(world.engine, 7, [late])
    assert late not in rulings.of_source(world.engine, 7, version, "committee")


def test_a_stage_ends_after_so_many_reviews_and_replays_what_the_votes_decided(world: World, llm: OpenAIServer) -> None:
    version, before = first_committee(world), asked(world)
    with_llm(world, llm.base_url, LLM_CONCURRENCY=1, VOTING="unanimous", STAGE_AFTER=5, REPLAY=0.5, **MEMBERS)
    assert budget_stages.stage_end(world.current) == len(before) + 5
    assert "learns from them before the next ones" in annotate.work(world.job("annotate"))
    assert len(before) + 5 <= len(asked(world)) <= len(before) + 6
    assert world.services.queue.place("train", 7) == "waiting"

    agreed = Agreed.of(world.job("train"), known=set())
    assert set(agreed.texts) == rulings.of_source(world.engine, 7, version, "committee")
    edited = min(agreed.texts)
    tasks.add(world.engine, 7, {edited: "another text"})
    assert set(Agreed.of(world.job("train"), known=set()).texts) == set(agreed.texts) - {edited}
    committee = served_committee(world.current)
    assert committee is not None
    space, few = committee.space, ["one", "two", "three", "four"]
    data = training_data(space, few, [CandidateSet((space.names[0],))] * 4, [None] * 4)
    again = replay(data, committee, agreed, 0.5)
    assert len(again) == 4 + 2  # half as many as were reviewed
    assert set(again.texts[4:]) <= {text for task, text in agreed.texts.items() if not held_out(task)}
    held = agreed.held(space, [("a person's", space.names[1])])
    assert held.human.tolist() == [True] + [False] * (len(held.texts) - 1)
    assert not set(held.texts) & set(again.texts)

    train.work(world.job("train"))
    found = versions.list_versions(world.engine, 7)[0].metrics["training"]["found"]
    assert set(found["gates"]) == {"student", "words"}
    assert all(gate["judged_on"] == "agreement" for gate in found["gates"].values())


def test_votes_stand_in_the_prompt_where_that_is_wanted(world: World, llm: OpenAIServer) -> None:
    plain = world.current.teacher_version
    with_llm(world, llm.base_url, LLM_CONCURRENCY=1, VOTING="unanimous", VOTES_IN_PROMPT=True, **MEMBERS)
    assert world.current.teacher_version != plain
    first_committee(world)
    assert not any("Small models voted" in str(request) for request in llm.requests)  # there were none yet
    asked_before = len(llm.requests)
    (request,) = question_of(world.current, project_embedder(world.current))["requests"]
    assert "</text>\nSmall models voted: " in request["turns"][-1]["text"]
    annotate.work(world.job("annotate"))
    later = [request["messages"][-1]["content"] for request in llm.requests[asked_before:]]
    assert later
    assert all("</text>\nSmall models voted: " in content for content in later)


def test_people_decide_what_the_llms_word_is_worth(world: World, llm: OpenAIServer) -> None:
    with_llm(world, llm.base_url, LLM_CONCURRENCY=1, VOTING="weighted", **MEMBERS)
    version = first_committee(world)
    committee = served_committee(world.current)
    assert committee is not None
    assert committee.reviewer is None  # nobody labelled anything
    texts = tasks.texts(world.engine, 7, sorted(asked(world)))
    votes = counted(world.current, committee, list(texts), list(texts.values()))
    undecided = np.full(len(texts), -1, np.int64)
    even = np.full((3, 4), 0.25, np.float32)

    def labels(reviewer: Reviewer) -> list[str | None]:
        return [one.ruling.label for _, one in sorted(together(committee, votes, undecided, reviewer).items())]

    said = [row.candidates.top for row in votes.said if row is not None and row.candidates is not None]
    sure = np.full((3, 4), 0.01, np.float32)
    sure[np.arange(3), np.arange(3)] = 0.97
    trusted = Reviewer(Confusion(sure), Pooling(np.array([0.0, 0.0, 0.0, 1.0], np.float32)), helps=True)
    assert labels(trusted) == said
    useless = Reviewer(Confusion(even), Pooling(np.array([1.0, 0.0, 0.0, 1.0], np.float32)), helps=False)
    first = committee.members[0].probabilities(list(texts.values())).argmax(axis=1)
    assert all(label in (None, committee.space.names[best]) for label, best in zip(labels(useless), first, strict=True))
    assert version.startswith("committee-")


def test_what_is_unlikely_and_not_worth_a_call_is_left_to_people(world: World, llm: OpenAIServer) -> None:
    with_llm(world, llm.base_url, LLM_CONCURRENCY=1, VOTING="weighted", SERVE_UNSURE="shortlist", **MEMBERS)
    first_committee(world)
    committee = served_committee(world.current)
    assert committee is not None
    even = np.full((3, 4), 0.25, np.float32)
    useless = Reviewer(Confusion(even), Pooling(np.array([0.1, 0.1, 0.1, 0.0], np.float32)), helps=False)
    committee.facts = {"reviewer": useless.to_json()}
    committee.weights = (0.01, 0.01, 0.01)  # all members nearly worthless: no label is likely
    ids = tasks.all_ids(world.engine, 7)
    texts = tasks.texts(world.engine, 7, ids)
    votes = counted(world.current, committee, ids, [texts[task] for task in ids])
    sure = accepted("weighted", committee, votes)
    assert (sure >= 0).all()  # no call is wanted
    found = decisions("weighted", committee, votes, sure)
    unasked = [found[place].ruling for place, row in enumerate(votes.said) if row is None]
    assert {ruling.source for ruling in unasked} == {Source.PEOPLE}
    assert all(ruling.label is None and ruling.candidates for ruling in unasked)
