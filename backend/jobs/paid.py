"""Paid questions in small chunks, several under way, so that one slow answer holds nobody up and little can be lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from backend.errors import BudgetReached, ShortlistError
from backend.jobs.running import Job
from backend.pool import candidates, ledger, tasks
from backend.services import project_options
from model.errors import ModelError, TeacherError

if TYPE_CHECKING:
    from model.teacher.base import Answer, Teacher, Usage

CHUNKS = 4  # under way at a time; together they ask twice as much as may be under way at the provider

Rows = list[tuple[int, str]]  # (task, text)
Next = Callable[[int, set[int]], Rows]  # (how many, tasks that are left out) -> tasks to ask about


def flow(job: Job, teacher: Teacher, version: str, following: Next, end: float, limit: int) -> int:
    """Ask until none is left, `limit` tasks were begun, or the time is over (time.monotonic); the number of tasks.

    What the calls can cost at most is reserved before, what they did cost is booked after, and answers are stored
    before either is told. If the teacher gives up, what is under way still ends and is kept; then its error is raised.
    """
    size = max(1, 2 * job.services.settings.LLM_CONCURRENCY // CHUNKS)
    flying: dict[Future[TeacherError | None], Rows] = {}
    begun, problem = 0, None
    with ThreadPoolExecutor(CHUNKS, "annotate") as threads:
        while True:
            room = CHUNKS if begun else 1  # the first one shows a wrong key, alone
            while problem is None and len(flying) < room and begun < limit and time.monotonic() < end:
                try:
                    reserved, rows = _reserve(job, teacher, _apart(following, size, flying))
                except (ShortlistError, ModelError) as error:
                    problem = error if not (isinstance(error, BudgetReached) and flying) else None
                    break
                if not rows:
                    break
                flying[threads.submit(_answer, job, teacher, version, rows, reserved)] = rows
                begun += len(rows)
            if not flying:
                break
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                del flying[future]
                problem = problem or future.result()
    if problem is not None:
        raise problem
    return begun


def store(job: Job, version: str, rows: Rows, answers: Mapping[int, Answer]) -> None:
    """Store answers by their places in `rows`."""
    found = [(rows[place][0], tasks.text_hash(rows[place][1]), answer) for place, answer in answers.items()]
    candidates.save(job.services.engine, job.number, version, found)


def _apart(following: Next, size: int, flying: Mapping[Future[TeacherError | None], Rows]) -> Rows:
    """The next tasks, without texts that are being asked about: they would be paid twice."""
    under_way = [row for rows in flying.values() for row in rows]
    texts = {text for _, text in under_way}
    return [row for row in following(size, {task for task, _ in under_way}) if row[1] not in texts]


def _answer(job: Job, teacher: Teacher, version: str, rows: Rows, reserved: int) -> TeacherError | None:
    answers, spent, problem = _ask(teacher, [text for _, text in rows])
    store(job, version, rows, answers)
    ledger.settle(job.services.engine, job.number, version, reserved, spent)
    return problem


def _ask(teacher: Teacher, texts: list[str]) -> tuple[Mapping[int, Answer], Usage, TeacherError | None]:
    """Answers by position, what was spent, and why there are not more of them."""
    from model.teacher.base import Usage

    try:
        answers = teacher.shortlist(texts)
    except TeacherError as error:
        return error.partial, error.spent or Usage(), error
    return dict(enumerate(answers)), sum((answer.usage for answer in answers), Usage()), None


def _reserve(job: Job, teacher: Teacher, rows: Rows) -> tuple[int, Rows]:
    """Set aside what the calls can cost at most: micro-dollars, and as many of the tasks as there is money for.

    BudgetReached if there is not enough for one.
    """
    while rows:
        bound = teacher.upper_bound_microusd([text for _, text in rows])
        if ledger.reserve(job.services.engine, job.number, bound):
            return bound, rows
        if len(rows) == 1:
            cap = project_options(job.services.settings, job.project).BUDGET_USD
            raise BudgetReached(
                f"The next task could cost up to ${bound / 1e6:.4f}, more than is left of BUDGET_USD "
                f"(${cap:.2f}). Raise BUDGET_USD to go on"
            )
        rows = rows[: len(rows) // 2]
    return 0, rows
