"""The words around the questions on the form: a control's name and its labels seldom say what is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from backend.label_studio.markup import Markup, Tag
from backend.label_studio.plain_text import storable, strip_tags
from backend.label_studio.sources import AMOUNT, VARIABLE, Source, source_of
from backend.label_studio.visibility import part_of_text

SHOWN = {"header", "text", "hypertext", "markdown"}  # what they show is read by people
LONGEST_LINE = 400  # characters
LONGEST = 6_000
HEAD = "What people read on the form, from top to bottom; [...] stands for texts and questions:"


@dataclass
class _Form:
    """Lines so far, and the words since the last text or control, of which is not yet known what they are about."""

    questions: Collection[str]
    sources: Sequence[Source]
    lines: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    worded: bool = False  # whether more than one word stands before a question

    def place(self, what: str, asks: bool = False) -> None:
        """A text or a question stands here; the words before it are about it."""
        self.worded |= asks and any(" " in words or not words.isascii() for words in self.waiting)
        self.lines += [*self.waiting, what]
        self.waiting = []


def wording(markup: Markup, questions: Collection[str], sources: Sequence[Source]) -> str:
    """The words on the form with the places of these texts and controls among them, LONGEST characters of it; ""
    where none stand before a question, or one word does. Words about others are left out."""
    form = _Form(questions, sources)
    _read(markup.root, form)
    return "\n".join([HEAD, *form.lines])[:LONGEST].rstrip() if form.worded else ""


def _read(tag: Tag, form: _Form) -> None:
    if part_of_text(tag):
        return
    if tag.targets and tag.name:
        _control(tag, form)
    elif (source := source_of(tag)) is not None:
        _text(source, form)
    else:
        form.waiting += _words(tag)
        for child in tag.children:
            _read(child, form)


def _text(source: Source, form: _Form) -> None:
    if source not in form.sources:
        form.waiting = []
        return
    form.place(f"[text {source.title or source.name}]" if len(form.sources) > 1 else "[text]")


def _control(tag: Tag, form: _Form) -> None:
    if tag.name not in form.questions:
        form.waiting = []
        return
    for inner in tag.within():
        if inner.kind == "choice":
            break
        form.waiting += _words(inner)
    form.place(f"[question {tag.name}]" if len(form.questions) > 1 else "[question]", asks=True)


def _words(tag: Tag) -> Iterator[str]:
    """What a tag shows of itself; nothing if it shows data of the task."""
    variables = [name for name in VARIABLE.findall(tag.value) if not AMOUNT.fullmatch(name)]
    if tag.kind in SHOWN and not variables and not part_of_text(tag):
        words = " ".join(strip_tags(tag.value).split())
        if any(letter.isalnum() for letter in words):
            yield storable(words)[:LONGEST_LINE]
