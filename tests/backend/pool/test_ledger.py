from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.pool import ledger
from model.teacher.base import Usage
from tests.backend.pool.processes import at_once, hold, spend
from tests.backend.pool.samples import PROJECT, TEACHER, add_project


@pytest.fixture
def budget(engine: sa.Engine) -> sa.Engine:
    add_project(engine)
    ledger.set_cap(engine, PROJECT, 1000)
    return engine


def test_nothing_may_be_spent_before_a_cap_is_set(engine: sa.Engine) -> None:
    add_project(engine)
    assert not ledger.reserve(engine, PROJECT, 1)
    assert ledger.reserve(engine, PROJECT, 0)


def test_exactly_the_cap_may_be_reserved(budget: sa.Engine) -> None:
    assert ledger.reserve(budget, PROJECT, 600)
    assert not ledger.reserve(budget, PROJECT, 401)
    assert ledger.reserve(budget, PROJECT, 400)
    assert not ledger.reserve(budget, PROJECT, 1)


def test_what_a_call_did_not_cost_is_given_back(budget: sa.Engine) -> None:
    assert ledger.reserve(budget, PROJECT, 1000)
    ledger.settle(budget, PROJECT, TEACHER, 1000, Usage(1, 50, 20, 8, 300))
    totals = ledger.totals(budget, PROJECT)
    assert totals == ledger.Totals(1, 50, 20, 8, 300, 0, 1000)
    assert ledger.reserve(budget, PROJECT, 700)
    assert not ledger.reserve(budget, PROJECT, 1)


def test_a_call_that_never_happened_leaves_no_entry(budget: sa.Engine) -> None:
    assert ledger.reserve(budget, PROJECT, 500)
    ledger.settle(budget, PROJECT, TEACHER, 500, Usage())
    assert ledger.totals(budget, PROJECT) == ledger.Totals(cap_microusd=1000)
    with budget.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM ledger")).scalar_one() == 0


def test_what_a_killed_process_reserved_counts_until_it_is_released(budget: sa.Engine) -> None:
    assert ledger.reserve(budget, PROJECT, 900)
    ledger.settle(budget, PROJECT, TEACHER, 0, Usage(1, 5, 0, 5, 40))
    assert ledger.totals(budget, PROJECT).unsettled_microusd == 900
    assert not ledger.reserve(budget, PROJECT, 100)
    assert ledger.release_unsettled(budget, PROJECT) == 900
    assert ledger.totals(budget, PROJECT).unsettled_microusd == 0
    assert ledger.reserve(budget, PROJECT, 960)


def test_a_lowered_cap_stops_spending_and_a_raised_one_allows_it_again(budget: sa.Engine) -> None:
    assert ledger.reserve(budget, PROJECT, 500)
    ledger.set_cap(budget, PROJECT, 100)
    assert not ledger.reserve(budget, PROJECT, 1)
    ledger.set_cap(budget, PROJECT, 501)
    assert ledger.reserve(budget, PROJECT, 1)


def test_projects_have_budgets_of_their_own(budget: sa.Engine) -> None:
    add_project(budget, 8)
    ledger.set_cap(budget, 8, 10)
    assert ledger.reserve(budget, 8, 10)
    assert ledger.reserve(budget, PROJECT, 1000)
    assert ledger.totals(budget, 8).cap_microusd == 10


def test_unknown_projects_and_negative_costs(engine: sa.Engine) -> None:
    assert not ledger.reserve(engine, 99, 0)
    assert ledger.totals(engine, 99) == ledger.Totals()
    assert ledger.release_unsettled(engine, 99) == 0
    with pytest.raises(ValueError, match="cannot cost -1"):
        ledger.reserve(engine, 99, -1)


def test_four_processes_together_never_reserve_more_than_the_cap(budget: sa.Engine, database_url: str) -> None:
    granted = at_once(4, hold, database_url, 60, 7)
    assert sum(granted) == 1000 // 7
    assert ledger.totals(budget, PROJECT).unsettled_microusd == 1000 // 7 * 7


def test_four_processes_together_book_every_call_and_stay_under_the_cap(budget: sa.Engine, database_url: str) -> None:
    allowed = sum(at_once(4, spend, database_url, 60, 20, 9))
    totals = ledger.totals(budget, PROJECT)
    assert totals.calls == allowed
    assert totals.microusd == 9 * allowed <= 1000
    assert totals.unsettled_microusd == 0
    assert totals.microusd > 1000 - 4 * 20  # they stopped only because the next calls might have passed the cap
