"""From texts to requests: the system part, examples, the text; and how large request and answer can become."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from model.labels import Label, LabelSpace
from model.teacher.prompting import question_forms
from model.teacher.prompting.answers import render
from model.teacher.prompting.examples import Example, Examples
from model.teacher.prompting.forms import rendered_answer, rendered_together
from model.teacher.prompting.intervals import render_interval
from model.teacher.prompting.narrowing import Narrowing, shown_labels
from model.teacher.prompting.prompts import Prompt, Strategy, fenced
from model.teacher.prompting.tokens import estimate_tokens, most_tokens
from model.teacher.providers.provider import Request, Turn

Remarks = Callable[[Sequence[str]], list[str]]  # what is said after each text, "" for nothing

LONGEST_EXAMPLE = 2_000  # characters of an example's text that are sent
OVERHEAD = 60  # tokens that a protocol may add to a request


@dataclass(frozen=True)
class Composer:
    """Makes requests. `narrowing`, nearest examples and remarks differ from text to text; all else is the same for all.

    `remarked` says that the policy is to show remarks, also while there is nobody yet to make them.
    """

    prompt: Prompt
    examples: Examples | None = None
    narrowing: Narrowing | None = None
    temperature: float | None = None
    remarks: Remarks | None = None
    remarked: bool = False

    def requests(self, texts: Sequence[str]) -> list[Request]:
        """One request per text."""
        fixed = self._fixed_turns()
        nearest = self._nearest(texts)
        shown = self.narrowing.labels(texts) if self.narrowing and texts else [None for _ in texts]
        asked = self._questions(texts)
        return [
            self._request(question, labels, fixed, turns_of(examples, self.prompt.space))
            for question, labels, examples in zip(asked, shown, nearest, strict=True)
        ]

    def together(self, texts: Sequence[str]) -> Request:
        """One request for several texts; all labels, and examples in the very form of question and answer."""
        few, stable = [], 0
        if self.examples is not None:
            few = self.examples.fixed() if self.examples.is_fixed else self.examples.nearest_to_any(texts)
        shown = turns_together(few, self.prompt.space)
        if self.examples is not None and self.examples.is_fixed:
            stable = len(shown)
        room = len(texts) * (self.room() + 10)
        system, schema = self.prompt.system(several=True), self.prompt.schema(together=len(texts))
        asked = Turn("user", numbered(self._questions(texts)))
        return Request(system, (*shown, asked), schema, room, stable, self.temperature)

    def room(self) -> int:
        """Tokens that the longest answer about one text can take."""
        if self.prompt.space.questions:
            answer = question_forms.longest(self.prompt.space, self.prompt.max_candidates)
            return 24 + 2 * estimate_tokens(json.dumps(answer, ensure_ascii=False))
        names = sorted(self.prompt.space.names, key=len, reverse=True)
        if self.prompt.space.several:
            return 24 + 2 * estimate_tokens(render_interval(names[: self.prompt.most_certain], names[:3]))
        most = 1 if self.prompt.strategy is Strategy.SINGLE else max(self.prompt.max_candidates, 3)
        return 24 + 2 * estimate_tokens(render(names[:most]))

    def _fixed_turns(self) -> tuple[Turn, ...]:
        if self.examples is None or not self.examples.is_fixed:
            return ()
        return turns_of(self.examples.fixed(), self.prompt.space)

    def _nearest(self, texts: Sequence[str]) -> list[list[Example]]:
        if self.examples is None or self.examples.is_fixed:
            return [[] for _ in texts]
        return self.examples.nearest(texts)

    def _questions(self, texts: Sequence[str]) -> list[str]:
        """The user part for each text: the text, and the remark about it."""
        questions = [self.prompt.question(text) for text in texts]
        if self.remarks is None or not texts:
            return questions
        said = self.remarks(texts)
        return [f"{one}\n{remark}" if remark else one for one, remark in zip(questions, said, strict=True)]

    def _request(
        self, question: str, labels: list[Label] | None, fixed: tuple[Turn, ...], nearest: tuple[Turn, ...]
    ) -> Request:
        turns = (*fixed, *nearest, Turn("user", question))
        system, schema = self.prompt.system(labels), self.prompt.schema(labels)
        return Request(system, turns, schema, self.room(), len(fixed), self.temperature)

    @property
    def hash(self) -> str:
        """Six hex digits over the prompt and the policies, not over the examples themselves."""
        policy = "none" if self.examples is None else self.examples.policy
        count = 0 if self.examples is None else self.examples.count
        shown = str(self.narrowing.shown) if self.narrowing else "off"
        return composed_hash(self.prompt, policy, count, shown, self.temperature, self.remarked)


def composed_hash(
    prompt: Prompt, examples: str, count: int, labels_shown: str, temperature: float | None, remarked: bool = False
) -> str:
    """Six hex digits over the prompt, the policies for examples and remarks, how many labels are shown, sampling."""
    shown = shown_labels(prompt.space, labels_shown)
    policy = [examples, count] if examples != "none" else None
    parts = [prompt.hash, policy, shown if shown < len(prompt.space) else None, temperature]
    content = json.dumps([*parts, "remarks"] if remarked else parts)
    return hashlib.sha256(content.encode()).hexdigest()[:6]


def turns_of(examples: Sequence[Example], space: LabelSpace) -> tuple[Turn, ...]:
    """Text and answer of each example, as if asked before."""
    pairs = ((fenced(example.text[:LONGEST_EXAMPLE]), rendered_answer(space, example.labels)) for example in examples)
    return tuple(turn for asked, said in pairs for turn in (Turn("user", asked), Turn("assistant", said)))


def turns_together(examples: Sequence[Example], space: LabelSpace) -> tuple[Turn, ...]:
    """All examples in one exchange, as if asked together before; nothing without any."""
    if not examples:
        return ()
    asked = numbered([fenced(example.text[:LONGEST_EXAMPLE]) for example in examples])
    said = rendered_together(space, [example.labels for example in examples])
    return Turn("user", asked), Turn("assistant", said)


def numbered(questions: Sequence[str]) -> str:
    """Several questions in one, by number from 1."""
    return "\n\n".join(f"Text {number}:\n{question}" for number, question in enumerate(questions, 1))


def most_sent(request: Request) -> int:
    """Tokens that a request can have at most.

    One per byte for the text, which can be anything; one per two bytes for the rest, which is language.
    """
    *before, last = request.turns
    known = request.system + "".join(turn.text for turn in before) + json.dumps(request.schema)
    return most_tokens(known) // 2 + most_tokens(last.text) + OVERHEAD + 8 * len(before)


def likely_sent(request: Request) -> int:
    """Tokens that a request is likely to have."""
    return sum(map(estimate_tokens, [request.system, *(turn.text for turn in request.turns)])) + 8
