"""SCORE=acquisition over HTTP: what is answered live, kept in the pool and answered from there has the same score."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend.pool import acquisition, predictions, projects, rulings, versions
from backend.serving.live.answer_cache import AnswerCache
from backend.serving.score_column import of_answer, of_teacher
from backend.settings import Settings
from model.labels import CandidateSet, LabelSpace
from model.pairs import Pair
from tests.support.predicting import TEXTS, promote_student, shown, until
from tests.support.web_server import Server


@pytest.fixture
def ordering(serve: Callable[..., Server]) -> Server:
    return serve(SCORE="acquisition")


def test_close_calls_of_the_teacher_come_first(ordering: Server) -> None:
    ordering.version()
    ordering.answered({1: "a"}, ["refund", "billing"])
    ordering.answered({2: "b"}, ["refund"])
    close, clear = ordering.predict({1: "a", 2: "b"})
    assert (close["score"], clear["score"]) == (pytest.approx(0.3), pytest.approx(0.6))


def test_a_students_lead_is_answered_live_and_from_the_pool_alike(ordering: Server) -> None:
    ordering.version()
    version = promote_student(ordering, 7)
    ordering.predict(TEXTS)
    until(lambda: version in ordering.live.loaded())
    live = ordering.predict(TEXTS)
    ordering.parts.background.drain()
    kept = acquisition.scores(ordering.services.engine, 7, version, list(TEXTS))
    assert {task: entry["score"] for task, entry in zip(TEXTS, live, strict=True)} == kept
    sure = predictions.read(ordering.services.engine, 7, version, list(TEXTS))
    assert all(kept[task] < sure[task][2] for task in TEXTS)  # the confidence itself is kept in the pool
    ordering.live.sent = AnswerCache()  # as another process, which answers from the pool
    assert ordering.predict(TEXTS) == live


def test_a_project_may_choose_otherwise(ordering: Server) -> None:
    ordering.version(extra='{"SCORE": "confidence"}')
    ordering.answered({1: "a"}, ["refund", "billing"])
    (entry,) = ordering.predict({1: "a"})
    assert entry["score"] == pytest.approx(0.6)


def test_the_page_says_whether_more_labels_pay_and_who_decided(ordering: Server) -> None:
    ordering.version()
    page = ordering.get("/projects/7").text
    assert "it shows once 2 students in a row have each learned from half as many human labels again" in page
    assert "More answers of the teacher: this teacher costs nothing." in page
    space = ordering.project().space_hash
    committee = f"committee-1-{space}"
    versions.add(ordering.services.engine, 7, committee, 1, space, {}, 0)
    projects.promote(ordering.services.engine, 7, committee)
    rulings.save(ordering.services.engine, 7, committee, {1: "committee", 2: "committee", 3: "unresolved"})
    ordering.label(1, "refund", prediction=shown(committee, "refund"))
    page = " ".join(ordering.get("/projects/7").text.split())
    votes = '<th scope="row">The votes</th><td data-name="Tasks" class="number">1</td>'
    assert f'{votes} <td data-name="Right" class="number">100.0 % of 1</td>' in page
    assert '<th scope="row">People</th><td data-name="Tasks" class="number">1</td>' in page
    assert "The teacher was asked about 0 of 1 tasks (0.0 %)." in page
    deciders = ordering.get("/projects/7.json").json()["deciders"]
    assert deciders == {"committee": {"accuracy": 1.0, "coverage": 1.0, "human_checked": 1}}


def test_a_teachers_relevance_is_the_expected_grade_of_its_candidates() -> None:
    pair = Pair(("query", "document"), ("query: ", "document: "), query=0)
    space, found = LabelSpace.of(["no", "partly", "yes"]), CandidateSet(("yes", "partly"), (0.6, 0.2))
    options = Settings(_env_file=None, SCORE="relevance").for_project({})
    assert of_teacher(options, pair, space, found) == pytest.approx((0.6 + 0.1) / 0.8)
    falling = options.model_copy(update={"GRADES": "falling"})
    assert of_teacher(falling, pair, space, found) == pytest.approx(1 - (0.6 + 0.1) / 0.8)
    assert of_teacher(options, pair.alone(), space, found) is None
    assert of_teacher(options.model_copy(update={"SCORE": "confidence"}), pair, space, found) is None
    assert of_answer(options, 0.9, 0.8, 0.3) == 0.3
    assert of_answer(options, 0.9, 0.8, None) == 0.9
