"""The texts that a label config shows of a task, and how each is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend.errors import LabelingConfigError
from backend.label_studio.markup import Markup, Tag, clipped
from backend.label_studio.visibility import conditions, part_of_text

TEXTS = {
    "text": "Text",
    "hypertext": "HyperText",
    "paragraphs": "Paragraphs",
    "chat": "Chat",
    "table": "Table",
    "list": "List",
    "header": "Header",
    "markdown": "Markdown",
}
BESIDE = {"header", "markdown"}  # they show a text, but nothing can be asked about them
TURNS = {"paragraphs": ("text", "author"), "chat": ("content", "role")}  # keys of a turn's text and author
VARIABLE = re.compile(r"\$([\w[\].{}]+)", re.ASCII)  # utils/data.js of the editor
AMOUNT = re.compile(r"\d[\d.]*")  # "from $1 to $5" are words
WHOLE = re.compile(r"^\$([^\s${}]+)$")


@dataclass(frozen=True)
class Source:
    """One text on the screen. `template` is its `value`, `fields` the task's data in it; `kind` is a key of TEXTS."""

    kind: str
    name: str
    template: str
    fields: tuple[str, ...]
    turn_key: str = "text"
    author_key: str = "author"

    @property
    def field(self) -> str:
        """The one field that is the whole text; "" if there are words or other fields beside it."""
        whole = WHOLE.match(self.template)
        return whole[1] if whole else ""

    @property
    def where(self) -> str:
        """Its tag in a sentence."""
        return f'{TEXTS[self.kind]} "{clipped(self.name)}"' if self.name else TEXTS[self.kind]

    @property
    def unseen(self) -> bool:
        """Whether the editor does not find its field, by letters that it does not know in the name of one."""
        return bool(self.field) and not VARIABLE.fullmatch(self.template)

    @property
    def title(self) -> str:
        """What stands before the text among others; "" where its template has words of its own."""
        return self.field or ("" if re.search(r"\w", VARIABLE.sub("", self.template)) else " ".join(self.fields))


def source_of(tag: Tag) -> Source | None:
    """The text that a tag shows of a task; None if it shows none, or one that is loaded from elsewhere."""
    whole = WHOLE.match(tag.value)
    among = [name for name in VARIABLE.findall(tag.value) if not AMOUNT.fullmatch(name)]
    fields = (whole[1],) if whole else tuple(dict.fromkeys(among))
    if tag.kind not in TEXTS or not fields or _elsewhere(tag) or not (tag.name or tag.kind in BESIDE):
        return None
    text, author = TURNS.get(tag.kind, ("text", "author"))
    return Source(tag.kind, tag.name, tag.value, fields, tag.get("textkey") or text, tag.get("namekey") or author)


def unreadable(tag: Tag) -> str:
    """Why nothing can be read from an object, as the end of a sentence about it; "" if something can."""
    if tag.kind not in TEXTS or tag.kind in BESIDE:
        return "is not text; questions about Text, HyperText, Paragraphs, Chat, Table and List are answered"
    return _elsewhere(tag)


def _elsewhere(tag: Tag) -> str:
    if tag.get("valuetype").lower().startswith("url"):
        return 'loads its text from a URL; put the text into the task and drop valueType="url"'
    if tag.get("encoding").lower() not in ("", "none"):
        return "has an encoding; put the plain text into the task and drop it"
    return "loads its text by a resolver; put the text into the task and drop it" if tag.get("resolver") else ""


def shown_sources(markup: Markup) -> list[Source]:
    """Every text that is on the screen when a task opens, each field once; where there is none, those that a choice
    brings up."""
    found = [(tag, source) for tag in markup.root.within() if (source := source_of(tag)) and not part_of_text(tag)]
    at_once = [source for tag, source in found if not conditions(tag)]
    kept: dict[tuple[str, str], Source] = {}
    for source in at_once or [source for _, source in found]:
        kept.setdefault((source.kind, source.template), source)
    return list(kept.values())


def chosen_sources(sources: Sequence[Source], wanted: str) -> list[Source]:
    """Those that the option FIELDS names, in its order; LabelingConfigError names the fields there are."""
    names = [name.strip().lstrip("$") for name in wanted.split(",") if name.strip()]
    if not names:
        return list(sources)
    found: list[Source] = []
    for name in names:
        here = [source for source in sources if name in (*source.fields, source.name)]
        if not here:
            known = ", ".join(f'"{clipped(field)}"' for source in sources for field in source.fields) or "none"
            raise LabelingConfigError(
                f'FIELDS "{clipped(name)}" is no text that the label config shows; there is: {known[:120]}'
            )
        found += [source for source in here if source not in found]
    return found
