"""What Shortlist does with a label config: the questions it answers, the texts it reads, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from backend.label_studio.questions import Question
from backend.label_studio.sources import Source
from model.groups import parted, qualified
from model.labels import LabelSpace
from model.pairs import Pair

Advice = tuple[str, tuple[str, str] | None]


@dataclass(frozen=True)
class LeftAlone:
    """A tag that is not served, and why: a sentence that starts with the tag. `option`: what would change that."""

    control: str
    why: str
    option: tuple[str, str] | None = None
    asks: bool = True  # whether people answer it about the whole task, or look at it
    missing: bool = True  # whether it is a question with labels about the texts: then less than all is served


@dataclass(frozen=True)
class Control:
    """The control tags that are answered, as read from a label config; labels of several are qualified by their tag.

    `sources` are the texts that become one input. `candidates_area` is the read-only text area of label config B.
    `left` are the tags left alone, `advice` sentences about how answers are shown, with the option that changes that.
    """

    space: LabelSpace
    questions: tuple[Question, ...]  # as the groups of the space
    sources: tuple[Source, ...]
    candidates_area: str | None = None
    left: tuple[LeftAlone, ...] = ()
    advice: tuple[Advice, ...] = ()
    pair: Pair | None = None  # which two of the texts are compared
    wording: str = ""  # the words on the form, for an LLM

    @property
    def guessed(self) -> bool:
        """Whether several ticks are taken for a shortlist though nobody said so, as an earlier release had it."""
        return any(question.guessed and question.answer == "one" for question in self.questions)

    @property
    def question(self) -> Question:
        """The question, or the first one."""
        return self.questions[0]

    def question_of(self, name: object) -> Question | None:
        """The question of a control tag; None if it is not answered."""
        return self._by_name.get(name) if isinstance(name, str) else None

    @cached_property
    def _by_name(self) -> Mapping[str, Question]:
        return {question.name: question for question in self.questions}

    def label(self, question: Question, name: str) -> str:
        """A label of a question, as the label space has it."""
        return qualified(question.name, name) if self.space.questions else name

    def by_question(self, labels: Iterable[str]) -> list[tuple[Question, tuple[str, ...]]]:
        """The questions that these labels of the space answer, each with its own."""
        if not self.space.questions:
            return [(self.question, found)] if (found := tuple(labels)) else []
        pairs = [parted(label) for label in labels]
        found_by = [(one, tuple(label for name, label in pairs if name == one.name)) for one in self.questions]
        return [(question, own) for question, own in found_by if own]

    @property
    def name(self) -> str:
        """The control tag's name; where there are several, all of them."""
        return ", ".join(question.name for question in self.questions)

    @property
    def kind(self) -> str:
        """The control tag's kind."""
        return self.question.kind

    @property
    def to_name(self) -> str:
        """The object tag that the candidates' text area points to."""
        return self.question.to_name

    @property
    def multiple(self) -> bool:
        """Whether one can show several ticks."""
        return any(question.multiple for question in self.questions)
