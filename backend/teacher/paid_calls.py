"""Paid questions, as many under way as the provider takes, so that one slow answer holds nobody up."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import BudgetReached, ShortlistError, TurnLost
from backend.pool import candidates, claims, ledger
from backend.pool.text import text_hash
from backend.projects.job import Job
from backend.teacher.open_questions import still_open
from backend.teacher.project_teacher import llms_of, unpaid
from backend.teacher.readability import Readability
from model.errors import ModelError
from model.teacher.errors import RoomNeeded, TeacherError, TeacherRefused, TeacherUnread
from model.teacher.providers.http import LONGEST_WAIT
from model.teacher.run import FAILURES_IN_A_ROW

if TYPE_CHECKING:
    from model.teacher.base import Answer, Teacher, Usage

OTHERS_SECONDS = 0.25  # how often it is looked whether others have ended what they ask
TICK_SECONDS = 0.05  # answers that come within it are stored and booked together
RESERVED = 16  # questions whose money is set aside together

Rows = list[tuple[int, str]]  # (task, text)
Next = Callable[[int, set[int]], Rows]  # (how many, tasks that are left out) -> tasks to ask about


@dataclass(frozen=True)
class PaidCall:
    """One call: its tasks, and what is set aside for it (micro-dollars, as a part of a reservation)."""

    rows: Rows
    reservation: int
    part: int


@dataclass(frozen=True)
class CallOutcome:
    """What came of a question: answers by position in its rows, what was spent, and why there are not more of them."""

    answers: Mapping[int, Answer]
    spent: Usage
    problem: TeacherError | None = None


def flow(job: Job, teacher: Teacher, version: str, following: Next, end: float, limit: int, answered: int) -> int:
    """Ask until none is left, `limit` tasks were begun, or the time is over (time.monotonic); the number of tasks.

    If the teacher has answered nothing that can be read, its questions go one by one: the first shows a wrong key.

    What the calls can cost at most is reserved before, what they did cost is booked after, and answers are stored
    before either is told. A question that fails is left for the next run. If the teacher refuses, fails several times
    in a row, gives several answers in a row that nobody can read, or answers nothing at all, what is under way still
    ends and is kept; then the error is raised.
    """
    return Flow(job, teacher, version, following, answered).run(end, limit)


class Flow:
    """The questions of one `flow`: those that wait, those under way, and what went wrong."""

    def __init__(self, job: Job, teacher: Teacher, version: str, following: Next, answered: int) -> None:
        self._job, self._teacher, self._version, self._following = job, teacher, version, following
        self._most = job.services.settings.LLM_CONCURRENCY
        self._per_call = max((llm.per_call for llm in llms_of(teacher)), default=1)
        self._waiting: deque[tuple[int, str]] = deque()
        self._flying: dict[Future[CallOutcome], PaidCall] = {}
        self._failed: set[int] = set()
        self._elsewhere: deque[tuple[int, str]] = deque()  # others are asking about them
        self._answered = answered  # tasks of this teacher's, those of earlier flows included
        self._readability = Readability(job, teacher.name, version)
        self._begun = self._in_a_row = 0
        self._estimated = False
        if self._readability.readable:
            for llm in llms_of(teacher):
                llm.room.answers()
        self._problem: ShortlistError | ModelError | None = None  # the first one
        self._stopped = self._dry = False

    def run(self, end: float, limit: int) -> int:
        """See `flow`."""
        before = self._answered
        refusal, engine = self._readability.refusal(), self._job.services.engine
        if refusal is not None:
            raise refusal
        with claims.asking(engine) as self._asking, ThreadPoolExecutor(self._most, "annotate") as threads:
            while True:
                while not self._stopped and time.monotonic() < end and self._some(threads, limit - self._begun):
                    pass
                if self._flying:
                    self._take(wait(self._flying, TICK_SECONDS).done)
                elif not self._wait_for_others(end):
                    break
        if self._problem is not None and (self._stopped or self._answered == before):
            raise self._problem
        return self._begun

    def _some(self, threads: ThreadPoolExecutor, limit: int) -> bool:
        """Begin some questions, if there is room for more; whether there may be further ones."""
        room = 2 * self._most - len(self._flying) if self._readability.sound else 1 - len(self._flying)
        if room < (self._most if self._readability.sound else 1) or limit < 1:
            return False
        chosen = self._next(min(limit, min(room, RESERVED) * self._per_call), limit)
        rows = still_open(self._job, self._asking, self._version, chosen, self._elsewhere)
        if chosen and not rows:
            return True
        try:
            questions = self._reserve([rows[at : at + self._per_call] for at in range(0, len(rows), self._per_call)])
        except (ShortlistError, ModelError) as error:
            if not (isinstance(error, BudgetReached) and self._flying):  # what is under way may give money back
                self._stop(error)
            self._put_back(rows)
            return False
        for question in questions:
            self._flying[threads.submit(_ask, self._teacher, question.rows)] = question
            self._begun += len(question.rows)
        self._put_back(rows[sum(len(question.rows) for question in questions) :])
        return bool(questions)

    def _put_back(self, rows: Rows) -> None:
        """They come next, and meanwhile anybody may ask about them."""
        self._waiting.extendleft(reversed(rows))
        self._release(rows)

    def _release(self, rows: Rows) -> None:
        if rows:
            self._asking.release(self._job.number, self._version, {text_hash(text) for _, text in rows})

    def _wait_for_others(self, end: float) -> bool:
        """Whether there is something left that others are asking about; a while later it is tried again."""
        if self._stopped or not self._elsewhere or time.monotonic() >= end:
            return False
        time.sleep(OTHERS_SECONDS)
        self._waiting.extend(self._elsewhere)
        self._elsewhere.clear()
        return True

    def _next(self, number: int, limit: int) -> Rows:
        """The next tasks, without texts that are being asked about: they would be paid twice."""
        if len(self._waiting) < number and not self._dry:
            ahead = 4 * self._most * self._per_call if self._readability.sound else number
            self._fetch(max(number, min(limit, ahead)))
        under_way = {text for question in self._flying.values() for _, text in question.rows}
        chosen: Rows = []
        later: Rows = []
        while self._waiting and len(chosen) < number:
            row = self._waiting.popleft()
            (later if row[1] in under_way else chosen).append(row)
            under_way.add(row[1])
        self._waiting.extend(later)
        return chosen

    def _fetch(self, number: int) -> None:
        """Tasks that wait for an answer; what the pool holds an answer to is stored and not asked."""
        asked = {task for question in self._flying.values() for task, _ in question.rows}
        left_out = asked | self._failed | {task for task, _ in self._elsewhere}
        rows = self._following(number, left_out)
        self._dry = len(rows) < number  # until something has ended
        missing = set(unpaid(self._teacher, [text for _, text in rows]))
        free = [row for row in rows if row[1] not in missing]
        if free:
            found = self._teacher.shortlist([text for _, text in free])
            store(self._job, self._version, free, dict(enumerate(found)))
            self._begun += len(free)
        self._waiting = deque(row for row in rows if row[1] in missing)

    def _reserve(self, groups: list[Rows]) -> list[PaidCall]:
        """Set aside what the calls can cost at most, for as many of them as there is money for.

        BudgetReached if there is not enough for one.
        """
        parts = [self._teacher.upper_bound_microusd([text for _, text in rows]) for rows in groups]
        engine, number = self._job.services.engine, self._job.number
        while parts:
            reservation = ledger.reserve(engine, number, self._version, sum(parts))
            if reservation is not None:
                return [PaidCall(rows, reservation, part) for rows, part in zip(groups, parts, strict=False)]
            if len(parts) == 1:
                raise self._budget_reached(parts[0])
            parts = parts[: len(parts) // 2]
        return []

    def _budget_reached(self, next_microusd: int) -> BudgetReached:
        """What was spent of how much, and how to go on."""
        money = ledger.totals(self._job.services.engine, self._job.number)
        aside = f" and ${money.unsettled_microusd / 1e6:.4f} set aside" if money.unsettled_microusd else ""
        aside += f" and ${money.carried_microusd / 1e6:.4f} were before" if money.carried_microusd else ""
        cap, connected = money.cap_microusd / 1e6, self._job.label_studio_id
        return BudgetReached(
            f"The budget does not pay for the next question: ${money.microusd / 1e6:.4f} of BUDGET_USD={cap:.2f} are "
            f"spent{aside}, and it could cost up to ${next_microusd / 1e6:.4f}. Raise BUDGET_USD to go on, for this "
            f"project alone by `shortlist connect {connected} --option BUDGET_USD={max(1.0, 2 * cap):g}`. All answers "
            "so far are kept"
        )

    def _take(self, done: Iterable[Future[CallOutcome]]) -> None:
        """Store what came, then book it, then judge what failed."""
        from model.teacher.base import Usage

        ended = [(self._flying.pop(future), future.result()) for future in done if not future.cancelled()]
        found = [
            (question.rows[place][0], text_hash(question.rows[place][1]), answer)
            for question, outcome in ended
            for place, answer in outcome.answers.items()
        ]
        if found:
            self._store(found)
        for reservation in sorted({question.reservation for question, _ in ended}):
            same = [(question, outcome) for question, outcome in ended if question.reservation == reservation]
            spent = sum((outcome.spent for _, outcome in same), Usage())
            self._settle(reservation, spent, sum(question.part for question, _ in same))
        self._release([row for question, _ in ended for row in question.rows])
        for question, outcome in ended:
            self._judge(question, outcome)
            self._look_at(outcome)
            self._dry = False

    def _store(self, found: list[tuple[int, str, Answer]]) -> None:
        """A process that lost its turn stores nothing more, but what it paid is still booked."""
        try:
            candidates.save(self._job.services.engine, self._job.number, self._version, found)
        except TurnLost as error:
            self._stop(error)

    def _settle(self, reservation: int, spent: Usage, part: int) -> None:
        ledger.settle(self._job.services.engine, self._job.number, self._version, reservation, spent, part)

    def _judge(self, question: PaidCall, outcome: CallOutcome) -> None:
        self._answered += len(outcome.answers)
        if outcome.problem is None:
            self._in_a_row = 0
            return
        if isinstance(outcome.problem, RoomNeeded):  # asked again with more, reserved before
            rows = [row for place, row in enumerate(question.rows) if place not in outcome.answers]
            self._waiting.extendleft(reversed(rows))
            self._begun -= len(rows)
            return
        self._in_a_row += 1
        self._failed.update(task for place, (task, _) in enumerate(question.rows) if place not in outcome.answers)
        told_to_wait = (outcome.problem.retry_seconds or 0) > LONGEST_WAIT
        refused = isinstance(outcome.problem, TeacherRefused)
        if refused or told_to_wait or self._in_a_row >= FAILURES_IN_A_ROW:
            self._stop(self._lasting(outcome.problem))
        self._problem = self._problem or outcome.problem

    def _lasting(self, problem: TeacherError) -> TeacherError:
        """The problem; one that never was any different does not get better by itself."""
        if not isinstance(problem, TeacherUnread) or self._answered:
            return problem
        return TeacherRefused(f"{problem}. {self._in_a_row} answers in a row came like this")

    def _look_at(self, outcome: CallOutcome) -> None:
        """Stop a teacher whose answers cannot be read; say once that costs are estimates."""
        found = list(outcome.answers.values())
        self._readability.look_at(found)
        refusal = self._readability.refusal(found)
        if refusal is not None:
            self._stop(refusal)
        if outcome.spent.estimated and not self._estimated:
            self._estimated = True
            self._job.note(
                f"{self._teacher.name} does not tell how many tokens its calls took: their cost is estimated"
            )

    def _stop(self, problem: ShortlistError | ModelError) -> None:
        """Begin nothing more, and give back what was set aside for calls that have not begun."""
        from model.teacher.base import Usage

        if not self._stopped:
            self._stopped, self._problem = True, problem
        for future in [future for future in self._flying if future.cancel()]:
            question = self._flying.pop(future)
            self._release(question.rows)
            self._settle(question.reservation, Usage(), question.part)


def store(job: Job, version: str, rows: Rows, answers: Mapping[int, Answer]) -> None:
    """Store answers by their places in `rows`."""
    found = [(rows[place][0], text_hash(rows[place][1]), answer) for place, answer in answers.items()]
    candidates.save(job.services.engine, job.number, version, found)


def _ask(teacher: Teacher, rows: Rows) -> CallOutcome:
    from model.teacher.base import Usage

    try:
        answers = teacher.shortlist([text for _, text in rows])
    except TeacherError as error:
        return CallOutcome(error.partial, error.spent or Usage(), error)
    return CallOutcome(dict(enumerate(answers)), sum((answer.usage for answer in answers), Usage()))
