from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.pool import batches, ledger
from backend.pool.database import dump
from backend.pool.database.engine import open_engine, write
from model.teacher.base import Usage
from tests.support.preloaded import context
from tests.support.processes import ask_a_provider, at_once, hold, reserve_and_die, spend
from tests.support.samples import PROJECT, TEACHER, add_project
from tests.support.servers import PostgresServer, sqlite_file


@pytest.fixture
def budget(engine: sa.Engine) -> sa.Engine:
    add_project(engine)
    ledger.set_cap(engine, PROJECT, 1000)
    return engine


def test_nothing_may_be_spent_before_a_cap_is_set(engine: sa.Engine) -> None:
    add_project(engine)
    assert not ledger.reserve(engine, PROJECT, TEACHER, 1)
    assert ledger.reserve(engine, PROJECT, TEACHER, 0)


def test_exactly_the_cap_may_be_reserved(budget: sa.Engine) -> None:
    assert ledger.reserve(budget, PROJECT, TEACHER, 600)
    assert not ledger.reserve(budget, PROJECT, TEACHER, 401)
    assert ledger.reserve(budget, PROJECT, TEACHER, 400)
    assert not ledger.reserve(budget, PROJECT, TEACHER, 1)


def test_what_a_call_did_not_cost_is_given_back(budget: sa.Engine) -> None:
    held = ledger.reserve(budget, PROJECT, TEACHER, 1000)
    ledger.settle(budget, PROJECT, TEACHER, held, Usage(1, 50, 20, 8, 300))
    totals = ledger.totals(budget, PROJECT)
    assert totals == ledger.Totals(1, 50, 20, 8, 300, 0, 1000)
    assert ledger.reserve(budget, PROJECT, TEACHER, 700)
    assert not ledger.reserve(budget, PROJECT, TEACHER, 1)


def test_a_call_that_never_happened_leaves_no_entry(budget: sa.Engine) -> None:
    held = ledger.reserve(budget, PROJECT, TEACHER, 500)
    ledger.settle(budget, PROJECT, TEACHER, held, Usage())
    assert ledger.totals(budget, PROJECT) == ledger.Totals(cap_microusd=1000)
    with budget.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM ledger")).scalar_one() == 0


def test_what_a_killed_process_reserved_is_booked_at_its_upper_bound(budget: sa.Engine, database_url: str) -> None:
    process = context().Process(target=reserve_and_die, args=(0, database_url, 900, 0.5))
    process.start()
    process.join(240)
    assert process.exitcode == -signal.SIGKILL
    assert ledger.totals(budget, PROJECT).unsettled_microusd == 900
    assert ledger.reserve(budget, PROJECT, TEACHER, 101) is None
    time.sleep(0.6)  # its patience is over
    assert ledger.book_lost(budget, PROJECT) == 900
    totals = ledger.totals(budget, PROJECT)
    assert totals == ledger.Totals(0, 0, 0, 0, 900, 0, 1000, lost_microusd=900)
    assert ledger.reserve(budget, PROJECT, TEACHER, 101) is None
    assert ledger.reserve(budget, PROJECT, TEACHER, 100) is not None
    assert ledger.book_lost(budget, PROJECT) == 0  # the living one is left alone


def test_what_was_lost_and_comes_after_all_takes_the_place_of_the_loss(budget: sa.Engine) -> None:
    held = ledger.reserve(budget, PROJECT, TEACHER, 300)
    with write(budget) as connection:
        ledger.expire(connection, held)
    assert ledger.book_lost(budget, PROJECT) == 300
    ledger.settle(budget, PROJECT, TEACHER, held, Usage(1, 5, 0, 5, 40), part=100)
    assert ledger.totals(budget, PROJECT) == ledger.Totals(1, 5, 0, 5, 240, 0, 1000, lost_microusd=200)
    ledger.settle(budget, PROJECT, TEACHER, held, Usage(1, 5, 0, 5, 70))
    assert ledger.totals(budget, PROJECT) == ledger.Totals(2, 10, 0, 10, 110, 0, 1000)


def test_a_reservation_by_a_clock_that_was_set_back_since_is_not_held_for_years(budget: sa.Engine) -> None:
    assert ledger.reserve(budget, PROJECT, TEACHER, 300, patience=2 * ledger.PATIENCE_SECONDS + 60) is not None
    assert ledger.reserve(budget, PROJECT, TEACHER, 200) is not None
    assert ledger.reserve(budget, PROJECT, TEACHER, 100, patience=None) is not None
    assert ledger.book_lost(budget, PROJECT) == 300
    assert ledger.totals(budget, PROJECT).unsettled_microusd == 300


def test_a_reservation_is_settled_in_parts(budget: sa.Engine) -> None:
    held = ledger.reserve(budget, PROJECT, TEACHER, 900)
    ledger.settle(budget, PROJECT, TEACHER, held, Usage(1, 5, 0, 5, 40), part=300)
    assert ledger.totals(budget, PROJECT).unsettled_microusd == 600
    ledger.settle(budget, PROJECT, TEACHER, held, Usage(), part=200)
    ledger.settle(budget, PROJECT, TEACHER, held, Usage(1, 5, 0, 5, 60), part=9999)
    totals = ledger.totals(budget, PROJECT)
    assert (totals.calls, totals.microusd, totals.unsettled_microusd) == (2, 100, 0)


def test_what_a_batch_did_cost_stands_apart_and_is_booked_once_however_often_it_is_collected(budget: sa.Engine) -> None:
    held = ledger.reserve(budget, PROJECT, TEACHER, 900, patience=None)
    assert held is not None
    batch = batches.begin(budget, PROJECT, TEACHER, {"t1": (1, "h")}, 900, held, "mark", "openai:x")
    batches.opened(budget, batch, {"batches": {}})
    (row,) = batches.unfinished(budget, PROJECT)
    assert (row.state, row.reserved_microusd) == ("open", 900)
    ledger.settle(budget, PROJECT, TEACHER, None, Usage(1, 60, 0, 6, 70))
    assert batches.ended(budget, batch, "done", Usage(9, 500, 400, 50, 350))
    assert not batches.ended(budget, batch, "done", Usage(9, 500, 400, 50, 350))
    batches.abandoned(budget, batch)
    totals = ledger.totals(budget, PROJECT)
    assert totals == ledger.Totals(10, 560, 400, 56, 420, 0, 1000, batch_calls=9, batch_microusd=350)


def test_a_lowered_cap_stops_spending_and_a_raised_one_allows_it_again(budget: sa.Engine) -> None:
    assert ledger.reserve(budget, PROJECT, TEACHER, 500)
    ledger.set_cap(budget, PROJECT, 100)
    assert not ledger.reserve(budget, PROJECT, TEACHER, 1)
    ledger.set_cap(budget, PROJECT, 501)
    assert ledger.reserve(budget, PROJECT, TEACHER, 1)


def test_projects_have_budgets_of_their_own(budget: sa.Engine) -> None:
    add_project(budget, 8)
    ledger.set_cap(budget, 8, 10)
    assert ledger.reserve(budget, 8, TEACHER, 10)
    assert ledger.reserve(budget, PROJECT, TEACHER, 1000)
    assert ledger.totals(budget, 8).cap_microusd == 10


def test_unknown_projects_and_negative_costs(engine: sa.Engine) -> None:
    assert not ledger.reserve(engine, 99, TEACHER, 0)
    assert ledger.totals(engine, 99) == ledger.Totals()
    assert ledger.book_lost(engine, 99) == 0
    with pytest.raises(ValueError, match="cannot cost -1"):
        ledger.reserve(engine, 99, TEACHER, -1)


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


def other_kind(url: str, folder: Path, server: PostgresServer, stack: ExitStack) -> sa.Engine:
    """An empty pool on the other kind of database."""
    if url.startswith("postgresql"):
        engine = open_engine(f"sqlite:///{sqlite_file(folder / 'other.sqlite')}")
    else:
        engine = open_engine(stack.enter_context(server.database(migrated=True)))
    stack.callback(engine.dispose)
    return engine


def test_no_cent_is_forgotten_though_workers_die_and_a_backup_is_restored(
    budget: sa.Engine, database_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Workers are killed at random; then the rest of the money is spent in the restored pool by others."""
    cap, bound, bills = 3_000, 40, tmp_path / "bills"
    ledger.set_cap(budget, PROJECT, cap)
    pool = budget
    with ExitStack() as stack:
        for shift in range(2):
            url = pool.url.render_as_string(hide_password=False)
            workers = [
                context().Process(target=ask_a_provider, args=(10 * shift + index, url, str(bills), bound, 0.5))
                for index in range(3)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join(240)
            check(pool, bills, cap)
            if not shift:
                dump.dump(pool, tmp_path / "pool.jsonl.gz")
                pool = other_kind(database_url, tmp_path, postgres_server, stack)
                dump.load(pool, tmp_path / "pool.jsonl.gz")
                check(pool, bills, cap)
        ask_to_the_end(pool, bills, bound)
        check(pool, bills, cap)
        found = ledger.totals(pool, PROJECT)
        assert found.unsettled_microusd == 0
        assert cap - bound < found.microusd <= cap


def ask_to_the_end(pool: sa.Engine, bills: Path, bound: int) -> None:
    """One that lives spends what is left, once what the dead had reserved is booked."""
    time.sleep(0.6)
    ledger.book_lost(pool, PROJECT)
    while (held := ledger.reserve(pool, PROJECT, TEACHER, bound)) is not None:
        with bills.open("a") as file:
            file.write(f"{bound}\n")
        ledger.settle(pool, PROJECT, TEACHER, held, Usage(calls=1, microusd=bound))


def check(pool: sa.Engine, bills: Path, cap: int) -> None:
    """Never a cent above the cap, never a cent forgotten."""
    paid = sum(map(int, bills.read_text().split())) if bills.exists() else 0
    found = ledger.totals(pool, PROJECT)
    assert paid <= found.microusd + found.unsettled_microusd <= cap
