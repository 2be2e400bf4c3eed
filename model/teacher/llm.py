"""The LLM teacher: asks, checks, asks once more; one bad text or one outage never costs the others their answers."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from model.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.labels import CandidateSet
from model.teacher.answers import Parsed, parse, render
from model.teacher.base import Answer, State, Usage
from model.teacher.cost import Price
from model.teacher.prompts import Prompt, Strategy
from model.teacher.provider import Provider, Reply, Request, TextRefused, Turn
from model.teacher.throttle import Throttle
from model.teacher.tokens import estimate_tokens, most_tokens

log = structlog.get_logger(__name__)

FAILURES_IN_A_ROW = 5  # then nothing more is sent
PROBE = "Hello"


class LlmTeacher:
    """One call per text, several at a time; see `Teacher` for the contract.

    Equal texts are asked once. An answer without labels is asked again once, then recorded as unparsed. Nothing is
    retried beyond the SDK's own retries: what fails for a passing reason raises TeacherUnavailable after everything
    else was asked, with all answers in `partial`.
    """

    paid = True
    fast = False

    def __init__(
        self,
        provider: Provider,
        prompt: Prompt,
        price: Price,
        throttle: Throttle | None = None,
        temperature: float | None = None,
    ) -> None:
        self.name = provider.name
        self.prompt, self.price = prompt, price
        self._provider, self._temperature = provider, temperature
        self._throttle = throttle or Throttle()
        self._worked = threading.Event()
        self.hash = llm_hash(provider.name, prompt, temperature)

    def shortlist(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, in order. Usage stands on the first of equal texts."""
        first: dict[str, int] = {}
        for place, text in enumerate(texts):
            first.setdefault(text, place)
        run = _Run(self._throttle)
        with ThreadPoolExecutor(min(len(first), self._throttle.most) or 1, "teacher") as threads:
            list(threads.map(lambda text: run.one(first[text], lambda: self._ask(text, run)), first))
        for place, text in enumerate(texts):
            if first[text] in run.answers and place != first[text]:
                run.answers[place] = replace(run.answers[first[text]], usage=Usage())
        run.raise_if_failed(len(texts))
        return [run.answers[place] for place in range(len(texts))]

    def upper_bound_microusd(self, texts: Sequence[str]) -> int:
        """For every text two calls, the second with the first's answer and twice its room."""
        return sum(self._bound(text) for text in set(texts))

    def estimate(self, texts: Sequence[str]) -> Usage:
        """What `shortlist(texts)` is likely to cost, without cache hits and re-asking."""
        output = estimate_tokens(render(self.prompt.space.names[:2]))
        total = Usage()
        for text in set(texts):
            request = self.request(text)
            parts = [request.system, *(turn.text for turn in request.turns)]
            total += self.price.usage(sum(map(estimate_tokens, parts)), output)
        return total

    def request(self, text: str) -> Request:
        """What is sent for one text."""
        turns = (Turn("user", self.prompt.question(text)),)
        return Request(self.prompt.system(), turns, self.prompt.schema(), self._room(), temperature=self._temperature)

    def _room(self) -> int:
        """Tokens that the longest answer can take."""
        most = 1 if self.prompt.strategy is Strategy.SINGLE else max(self.prompt.max_candidates, 3)
        longest = sorted(self.prompt.space.names, key=len, reverse=True)[:most]
        return 40 + most_tokens(render(longest))

    def _bound(self, text: str) -> int:
        request = self.request(text)
        sent = most_tokens(request.system) // 2 + sum(most_tokens(turn.text) for turn in request.turns) + 50
        output = self._provider.most_output(request.max_tokens)
        again = sent + output + most_tokens(self.prompt.reminder())
        return self.price.bound(sent, output) + self.price.bound(
            again, self._provider.most_output(2 * request.max_tokens)
        )

    def _ask(self, text: str, run: _Run) -> Answer:
        request = self.request(text)
        try:
            reply = self._send(request, run)
        except TextRefused as error:
            self._blame(error)
            return Answer(State.ABSTAINED, None, "", reason=f"the server refuses this text: {error}")
        parsed = self._parsed(reply)
        if parsed.state is not State.UNPARSED:
            return answer_of(parsed, reply.text, reply.usage)
        second = self._send_again(request, reply, run)
        if second is None:
            return answer_of(parsed, reply.text, reply.usage)
        return answer_of(self._parsed(second), second.text, reply.usage + second.usage)

    def _parsed(self, reply: Reply) -> Parsed:
        if reply.refused:
            return Parsed(State.ABSTAINED, reason="the teacher declined")
        parsed = parse(reply.text, self.prompt.space, self.prompt.strategy)
        if reply.truncated and parsed.state is not State.ANSWERED:
            return Parsed(State.UNPARSED, reason="the answer was cut off")
        return parsed

    def _send_again(self, request: Request, reply: Reply, run: _Run) -> Reply | None:
        """Ask once more: with twice the room if the answer was cut off, else by repeating the label list."""
        told = (Turn("assistant", reply.text[:2000] or "-"), Turn("user", self.prompt.reminder()))
        turns = request.turns if reply.truncated else (*request.turns, *told)
        try:
            return self._send(replace(request, turns=turns, max_tokens=2 * request.max_tokens), run)
        except TextRefused:
            return None
        except TeacherError:
            run.spend(reply.usage)
            raise

    def _send(self, request: Request, run: _Run) -> Reply:
        with self._throttle.slot():
            run.check()
            reply = self._provider.complete(request)
        self._worked.set()
        return reply

    def _blame(self, error: TextRefused) -> None:
        """Is it the text, or every request? Before the first success a harmless text decides; TeacherRefused if all."""
        if self._worked.is_set():
            return
        try:
            self._provider.complete(self.request(PROBE))
        except TextRefused:
            raise TeacherRefused(f"{error}. Every request is refused, not just one text") from None
        self._worked.set()


class _Run:
    """The state of one `shortlist` call: answers so far, spending, and whether to stop."""

    def __init__(self, throttle: Throttle) -> None:
        self.answers: dict[int, Answer] = {}
        self._lock = threading.Lock()
        self._lost = Usage()
        self._stop: TeacherError | None = None
        self._failed: TeacherError | None = None
        self._in_a_row = 0

    def one(self, place: int, ask: object) -> None:
        """Ask for one text; an error is kept, not raised."""
        assert callable(ask)
        try:
            self.check()
            answer = ask()
        except TeacherError as error:
            self._note(error)
            return
        with self._lock:
            self._in_a_row = 0
            self.answers[place] = answer

    def check(self) -> None:
        """Raises what made the run stop."""
        if self._stop is not None:
            raise self._stop

    def spend(self, usage: Usage) -> None:
        """Remember money that led to no answer."""
        with self._lock:
            self._lost += usage

    def _note(self, error: TeacherError) -> None:
        with self._lock:
            self._failed = self._failed or error
            self._in_a_row += 1
            if isinstance(error, TeacherRefused) or self._in_a_row >= FAILURES_IN_A_ROW:
                self._stop = self._stop or error

    def raise_if_failed(self, total: int) -> None:
        """Raises the gravest error with everything that was answered and paid."""
        error = self._stop or self._failed
        if error is None:
            return
        spent = sum((answer.usage for answer in self.answers.values()), self._lost)
        kind = type(error) if isinstance(error, TeacherRefused | TeacherUnavailable) else TeacherUnavailable
        raised = kind(f"{error} ({len(self.answers)} of {total} texts were answered)", self.answers, spent)
        raised.retry_seconds = error.retry_seconds
        log.warning("the teacher cannot go on", reason=str(raised), kind=kind.__name__)
        raise raised from None


def answer_of(parsed: Parsed, raw: str, usage: Usage) -> Answer:
    """The answer to store."""
    candidates = CandidateSet(parsed.labels) if parsed.state is State.ANSWERED else None
    return Answer(parsed.state, candidates, raw, usage, parsed.reason)


def llm_hash(name: str, prompt: Prompt, temperature: float | None = None) -> str:
    """Six hex digits over model, prompt and sampling."""
    content = json.dumps([name, prompt.hash, temperature])
    return hashlib.sha256(content.encode()).hexdigest()[:6]
