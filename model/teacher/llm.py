"""The LLM teacher: asks, checks, asks once more; one bad text or one outage never costs the others their answers."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from model.labels import CandidateSet
from model.teacher.base import Answer, State, Usage
from model.teacher.counting import complete
from model.teacher.errors import RoomNeeded, TeacherError, TeacherRefused, TextRefused
from model.teacher.prompting.answers import Parsed, answer_part, json_values
from model.teacher.prompting.composing import Composer, likely_sent, most_sent
from model.teacher.prompting.forms import likely_answer, read_answer, read_entry
from model.teacher.prompting.prompts import Prompt
from model.teacher.prompting.thoughts import has_thoughts
from model.teacher.prompting.tokens import estimate_tokens, most_tokens
from model.teacher.providers.prices import Price
from model.teacher.providers.provider import Provider, Reply, Request, Turn
from model.teacher.providers.throttle import Throttle
from model.teacher.room import Room
from model.teacher.run import Run

PROBE = "Hello"
TOGETHER = 2  # raise it when texts are asked about together in another way
LONGEST_QUOTE = 2_000  # characters of a wrong answer that are shown to its author


class LlmTeacher:
    """One call per text (or per `per_call` texts), several at a time; see `Teacher` for the contract.

    Equal texts are asked once. An answer without labels is asked again once, then recorded as unparsed. A model that
    thinks although it was asked not to gets more room, within the bound that was told before (RoomNeeded where that
    bound has none). Nothing is retried beyond the SDK's own retries: what fails for a passing reason raises
    TeacherUnavailable after everything else was asked, with all answers in `partial`.
    """

    paid = True
    fast = False

    def __init__(
        self,
        provider: Provider,
        composer: Composer,
        price: Price,
        throttle: Throttle | None = None,
        per_call: int = 1,
    ) -> None:
        self.name, self.composer, self.price, self.provider = provider.name, composer, price, provider
        self.prompt: Prompt = composer.prompt
        self.per_call = 1 if composer.narrowing else max(1, per_call)
        self._throttle = throttle or Throttle()
        self._worked = threading.Event()
        self.room = Room(lambda: getattr(provider, "room_for_thoughts", 0))
        self.keep: Callable[[str, Answer], None] | None = None  # told every paid answer at once, from several threads
        self.hash = llm_hash(provider.name, composer.hash, per_call)

    @property
    def has_worked(self) -> bool:
        """Whether the provider has ever answered: key, model and parameters are right then."""
        return self._worked.is_set()

    def shortlist(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, in order. Usage stands on the first of equal texts, or of texts asked together."""
        first: dict[str, int] = {}
        for place, text in enumerate(texts):
            first.setdefault(text, place)
        run, asked = Run(), list(first)
        groups = [asked[start : start + self.per_call] for start in range(0, len(asked), self.per_call)]
        if groups and not self._worked.is_set():  # one call ahead: it fills the prompt cache, and shows a wrong key
            run.attempt(lambda: self._placed(groups[0], first, run))
            groups = groups[1:]
        if len(groups) == 1:
            run.attempt(lambda: self._placed(groups[0], first, run))
        elif groups:
            with ThreadPoolExecutor(min(len(groups), self._throttle.most), "teacher") as threads:
                list(threads.map(lambda group: run.attempt(lambda: self._placed(group, first, run)), groups))
        for place, text in enumerate(texts):
            if first[text] in run.answers and place != first[text]:
                run.answers[place] = replace(run.answers[first[text]], usage=Usage())
        run.raise_if_failed(len(texts))
        return [run.answers[place] for place in range(len(texts))]

    def upper_bound_microusd(self, texts: Sequence[str]) -> int:
        """For every text two calls, the second with the first's answer and twice its room."""
        distinct = list(dict.fromkeys(texts))
        requests = zip(distinct, self.composer.requests(distinct), strict=True)
        bound = sum(self._bound(request, *self.room.promise(text)) for text, request in requests)
        if self.per_call > 1:
            groups = [distinct[start : start + self.per_call] for start in range(0, len(distinct), self.per_call)]
            bound += sum(self._bound(self.composer.together(group), self.room.most) for group in groups)
        return bound

    def estimate(self, texts: Sequence[str]) -> Usage:
        """What `shortlist(texts)` is likely to cost, without cache hits and re-asking."""
        output = estimate_tokens(likely_answer(self.prompt.space))
        distinct = list(dict.fromkeys(texts))
        if self.per_call == 1:
            sent = [(likely_sent(request), 1) for request in self.composer.requests(distinct)]
        else:
            groups = [distinct[start : start + self.per_call] for start in range(0, len(distinct), self.per_call)]
            sent = [(likely_sent(self.composer.together(group)), len(group)) for group in groups]
        return sum((self.price.usage(tokens, output * size) for tokens, size in sent), Usage())

    def read(self, reply: Reply) -> Parsed:
        """What a reply to one text says."""
        if reply.filtered:
            return Parsed(State.REFUSED, reason="the server's filter kept the answer back")
        if reply.refused:
            return Parsed(State.ABSTAINED, reason="the teacher declined")
        if reply.unread:
            return Parsed(State.UNPARSED, reason=reply.unread)
        asked = self.prompt
        return read_answer(reply.text, asked.space, asked.strategy, reply.truncated, asked.max_candidates)

    def complete(self, request: Request) -> Reply:
        """Any request, once, with room for thoughts and every call counted."""
        return complete(self.provider, replace(request, thinking=self.room.for_one()), self.price)

    def bound_of(self, request: Request) -> int:
        """What `complete` can cost at most."""
        return self._bound(request, self.room.for_one())

    def _bound(self, request: Request, first: int, second: int | None = None) -> int:
        sent, output = most_sent(request), self.provider.most_output(request.max_tokens) + first
        bound = self.price.bound(sent, output)
        if second is not None:
            longer = sent + min(output * 8, LONGEST_QUOTE * 4) + most_tokens(self.prompt.reminder())
            bound += self.price.bound(longer, self.provider.most_output(2 * request.max_tokens) + second)
        return bound

    def _placed(self, group: list[str], first: dict[str, int], run: Run) -> Iterator[tuple[int, Answer]]:
        if len(group) == 1:
            answered: Iterator[tuple[str, Answer]] = iter([(group[0], self._ask(group[0], run))])
        else:
            answered = self._ask_together(group, run)
        for text, answer in answered:
            if self.keep is not None:
                self.keep(text, answer)
            yield first[text], answer

    def _ask(self, text: str, run: Run) -> Answer:
        (request,) = self.composer.requests([text])
        first, second = self.room.of(text)
        try:
            reply = self._send(replace(request, thinking=first), run)
        except TextRefused as error:
            usage = self._blame(error, run)
            return Answer(State.REFUSED, None, "", usage, f"the server refuses this text: {error}")
        parsed = self.read(reply)
        if parsed.state is State.ANSWERED and not first:
            self.room.answers()
        if parsed.state is not State.UNPARSED or reply.unread:
            return answer_of(parsed, reply.text, reply.usage)
        if overflowed(reply) and self.room.most and second <= first:
            if first < self.room.most:
                run.lose(reply.usage)
                raise RoomNeeded(f"{self.name} thinks, and needs more room than was reserved")
            return answer_of(Parsed(State.UNPARSED, reason=thought_too_long(first)), reply.text, reply.usage)
        again = self._send_again(request, reply, second if overflowed(reply) else first, run)
        if again is None:
            return answer_of(parsed, reply.text, reply.usage)
        parsed = self.read(again)
        if overflowed(again) and parsed.state is State.UNPARSED:
            parsed = Parsed(State.UNPARSED, reason=thought_too_long(second))
        return answer_of(parsed, again.text, reply.usage + again.usage)

    def _ask_together(self, group: list[str], run: Run) -> Iterator[tuple[str, Answer]]:
        """One call for all; whoever is missing in the answer is asked alone. The call's usage goes to the first."""
        try:
            reply = self._send(replace(self.composer.together(group), thinking=self.room.most), run)
        except TextRefused:
            reply = Reply("", Usage())
        found, owed = self._read_together(reply, len(group)), reply.usage
        missing = []
        for number, text in enumerate(group, 1):
            if number not in found or found[number].state is State.UNPARSED:
                missing.append(text)
                continue
            yield text, answer_of(found[number], reply.text, owed)
            owed = Usage()
        for text in missing:
            try:
                answer = self._ask(text, run)
            except TeacherError:
                run.lose(owed)
                raise
            yield text, replace(answer, usage=answer.usage + owed)
            owed = Usage()

    def _read_together(self, reply: Reply, size: int) -> dict[int, Parsed]:
        """By number of the text. A number that occurs twice, or that nobody asked about, counts for nothing."""
        values, _ = json_values(reply.text)
        rows = values[0].get("answers") if len(values) == 1 and isinstance(values[0], dict) else None
        entries = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        unusable = reply.refused or reply.filtered or bool(reply.unread)
        numbers = [row["text"] if type(row.get("text")) is int else None for row in entries]
        return {
            number: self._entry(row)
            for number, row in zip(numbers, entries, strict=True)
            if number is not None and 1 <= number <= size and numbers.count(number) == 1 and not unusable
        }

    def _entry(self, row: dict[str, Any]) -> Parsed:
        """One text's part of an answer to several texts."""
        return read_entry(row, self.prompt.space, self.prompt.strategy)

    def _send_again(self, request: Request, reply: Reply, thinking: int, run: Run) -> Reply | None:
        """Ask once more: with more room if JSON or thoughts were cut off, else by repeating the label list."""
        answer = answer_part(reply.text)
        again = replace(request, max_tokens=2 * request.max_tokens, thinking=thinking)
        if not (reply.truncated and (overflowed(reply) or not answer or answer.startswith(("{", "[")))):
            told = (Turn("assistant", answer[:LONGEST_QUOTE] or "-"), Turn("user", self.prompt.reminder()))
            again = replace(request, turns=(*request.turns, *told), thinking=thinking)
        try:
            return self._send(again, run)
        except TextRefused:
            return None
        except TeacherError:
            run.lose(reply.usage)
            raise

    def _send(self, request: Request, run: Run) -> Reply:
        with self._throttle.slot():
            run.check()
            try:
                reply = complete(self.provider, request, self.price)
            except TeacherError as error:
                run.lose(error.spent or Usage())
                raise
        self._worked.set()
        if self.room.most and (reply.thoughts or has_thoughts(reply.text) or overflowed(reply)):
            self.room.seen_thinking()
        return reply

    def _blame(self, error: TextRefused, run: Run) -> Usage:
        """Is it the text, or every request? Before the first success a harmless text decides; TeacherRefused if all."""
        if self._worked.is_set():
            return Usage()
        try:
            return self._send(self.composer.requests([PROBE])[0], run).usage
        except TextRefused:
            raise TeacherRefused(f"{error}. Every request is refused, not just one text") from None


def overflowed(reply: Reply) -> bool:
    """Whether a reply was cut off before its answer began: thoughts filled its room, with their marks or without."""
    return reply.truncated and not answer_part(reply.text).startswith(("{", "["))


def thought_too_long(room: int) -> str:
    """Why there is no answer of a model that thinks."""
    return f"the model thought for more than {room} tokens and came to no answer; choose one that does not think"


def answer_of(parsed: Parsed, raw: str, usage: Usage) -> Answer:
    """The answer to store."""
    candidates = CandidateSet(parsed.labels, (), parsed.certain) if parsed.state is State.ANSWERED else None
    return Answer(parsed.state, candidates, raw, usage, parsed.reason)


def llm_hash(name: str, composed: str, per_call: int = 1) -> str:
    """Six hex digits over the model, the way it is asked, and how many texts it is asked about at once."""
    parts = [name, composed, per_call, TOGETHER] if per_call > 1 else [name, composed, per_call]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:6]
