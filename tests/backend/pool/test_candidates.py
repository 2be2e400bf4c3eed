from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.pool import candidates, text
from model.labels import CandidateSet
from model.teacher.base import Usage
from tests.support.samples import PROJECT, TEACHER, abstained, answered, unparsed

NEW = "teacher-0a1b2c-ffffff"


@pytest.fixture
def pool(engine: sa.Engine) -> sa.Engine:
    rows = [
        (1, "h1", answered("refund", "billing", raw="1: refund\x00 billing", usage=Usage(1, 50, 0, 8, 120))),
        (2, "h2", abstained()),
        (3, "h3", unparsed()),
        (4, "h4", answered("shipping")),
    ]
    candidates.save(engine, PROJECT, TEACHER, rows)
    return engine


def test_answers_are_read_as_they_were_saved(pool: sa.Engine) -> None:
    found = candidates.read(pool, PROJECT, TEACHER)
    assert set(found) == {1, 2, 3, 4}
    text_hash, reply = found[1]
    assert (text_hash, reply.state, reply.candidates) == (
        "h1",
        "answered",
        CandidateSet(("refund", "billing"), (0.6, 0.3)),
    )
    assert found[1].candidates == reply.candidates
    assert (found[2].state, found[2].candidates) == ("abstained", None)
    assert (found[3].state, found[3].candidates) == ("unparsed", None)


def test_reading_some(pool: sa.Engine) -> None:
    assert set(candidates.read(pool, PROJECT, TEACHER, [4, 1, 99])) == {1, 4}
    assert candidates.read(pool, PROJECT, TEACHER, []) == {}
    assert candidates.read(pool, PROJECT, NEW) == {}
    assert candidates.read(pool, 8, TEACHER) == {}


def test_a_newer_answer_replaces(pool: sa.Engine) -> None:
    candidates.save(pool, PROJECT, TEACHER, [(1, "edited", abstained()), (1, "edited", answered("shipping"))])
    candidates.save(pool, PROJECT, TEACHER, [])
    assert candidates.read(pool, PROJECT, TEACHER, [1])[1] == (
        "edited",
        candidates.Reply("answered", CandidateSet(("shipping",), (0.6,))),
    )


def test_cost_and_raw_answer_are_kept(pool: sa.Engine) -> None:
    with pool.connect() as connection:
        row = connection.execute(sa.text("SELECT * FROM candidate_sets WHERE task = 1")).mappings().one()
    assert (row["raw"], row["input_tokens"], row["output_tokens"], row["microusd"]) == (
        "1: refund� billing",
        50,
        8,
        120,
    )


def test_an_answer_without_confidences(engine: sa.Engine) -> None:
    reply = answered("refund", "billing")
    bare = type(reply)(reply.state, CandidateSet(("refund", "billing")), "")
    candidates.save(engine, PROJECT, TEACHER, [(1, "h", bare)])
    assert candidates.read(engine, PROJECT, TEACHER)[1].candidates == CandidateSet(("refund", "billing"))


def test_figures(pool: sa.Engine) -> None:
    assert candidates.figures(pool, PROJECT, TEACHER) == candidates.Figures(4, 2, 1, 1, 1.5)
    assert candidates.figures(pool, PROJECT, NEW) == candidates.Figures(0, 0, 0, 0, None)


def test_carrying_over_what_still_holds(pool: sa.Engine) -> None:
    asked: list[CandidateSet | None] = []

    def keep(found: CandidateSet | None) -> bool:
        asked.append(found)
        return found is None or "shipping" not in found.labels

    assert candidates.carry_over(pool, PROJECT, TEACHER, NEW, keep) == 2
    assert len(asked) == 3  # never about an answer that was not understood
    carried = candidates.read(pool, PROJECT, NEW)
    assert set(carried) == {1, 2}
    assert carried[1] == candidates.read(pool, PROJECT, TEACHER)[1]
    assert candidates.carry_over(pool, PROJECT, TEACHER, NEW, keep) == 0
    with pool.connect() as connection:
        paid = "SELECT sum(microusd) FROM candidate_sets WHERE project = 7"
        assert connection.execute(sa.text(paid)).scalar_one() == 120


def test_carrying_over_leaves_newer_answers_alone(pool: sa.Engine) -> None:
    candidates.save(pool, PROJECT, NEW, [(1, "h1", answered("shipping"))])
    assert candidates.carry_over(pool, PROJECT, TEACHER, NEW, lambda _: True) == 2
    found = candidates.read(pool, PROJECT, NEW)
    assert found[1].candidates == CandidateSet(("shipping",), (0.6,))
    assert set(found) == {1, 2, 4}


def test_carrying_over_many(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "PAGE", 10)
    rows = [(task, text.text_hash(str(task)), answered("refund")) for task in range(1, 36)]
    candidates.save(engine, PROJECT, TEACHER, rows)
    assert candidates.carry_over(engine, PROJECT, TEACHER, NEW, lambda _: True) == 35
    assert candidates.read(engine, PROJECT, NEW) == candidates.read(engine, PROJECT, TEACHER)


@pytest.mark.parametrize("found", [CandidateSet((), (), ()), CandidateSet(("refund", "billing"), (), ("refund",))])
def test_what_is_certain_is_kept_also_that_no_label_applies(engine: sa.Engine, found: CandidateSet) -> None:
    reply = type(answered("refund"))(answered("refund").state, found, "")
    candidates.save(engine, PROJECT, TEACHER, [(1, "h", reply)])
    assert candidates.read(engine, PROJECT, TEACHER)[1].candidates == found
    candidates.carry_over(engine, PROJECT, TEACHER, NEW, lambda one: one == found)
    assert candidates.read(engine, PROJECT, NEW)[1].candidates == found
