"""Which label a string names: exactly, or after normalisation where that is unambiguous."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from model.labels import LabelSpace, readable

BULLET = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,3}[.):]|\(?[a-zA-Z][.)])\s+")
QUOTES = "\"'`“”‘’«»*_ \t"
BETWEEN = re.compile(r"^[\s,;/|&+.:\"'`“”‘’()\[\]{}*\-–>]*(?:(?:and|or|und|oder|et|ou|y|o)\b[\s,;]*)?$", re.IGNORECASE)
NEGATION = re.compile(
    r"(?:\b(?:not|nor|never|no|rather than|instead of|unlike|except)|n['’]t)[\s\"'“‘*`(]+"
    r"(?:(?:a|an|the|really|about|be|of|for)[\s\"'“‘*`(]+)?$",
    re.IGNORECASE,
)
NUMBER = re.compile(r"[\W_]*\d[\d\W_]*")  # digits and signs, no letter
SHORT = 2  # names up to this many characters count in running text only in their own case


@dataclass(frozen=True)
class Names:
    """All spellings of a label space's labels: value and title, as they are and normalised."""

    exact: dict[str, str]
    loose: dict[str, str]
    pattern: re.Pattern[str]

    @staticmethod
    def of(space: LabelSpace) -> Names:
        """The spellings of a label space, cached."""
        return _names(space)

    def listed(self, item: str) -> tuple[str, ...]:
        """Labels of a string that is a label, or nothing but labels and separators; empty otherwise."""
        for candidate in (item, item.strip(), BULLET.sub("", item).strip()):
            if candidate in self.exact:
                return (self.exact[candidate],)
        known = self.loose.get(normal(item)) or self.loose.get(normal(BULLET.sub("", item)))
        if known is not None:
            return (known,)
        found = list(self._matches(item))
        edges = [0, *(edge for match, _ in found for edge in match.span()), len(item)]
        rests = [item[left:right] for left, right in zip(edges[::2], edges[1::2], strict=True)]
        if not found or not all(BETWEEN.match(BULLET.sub("", rest)) for rest in rests):
            return ()
        return tuple(dict.fromkeys(name for _, name in found))

    def mentioned(self, text: str) -> tuple[str, ...]:
        """Labels named in running text, in order. One right after a negation does not count, nor do numbers: they mean
        something else there ("3 out of 5")."""
        found = (
            name
            for match, name in self._matches(text)
            if not NUMBER.fullmatch(match.group()) and not NEGATION.search(text[: match.start()][-40:])
        )
        return tuple(dict.fromkeys(found))

    def _matches(self, text: str) -> Iterator[tuple[re.Match[str], str]]:
        """Non-overlapping occurrences with word borders, the longest name at each place."""
        for match in self.pattern.finditer(text):
            name = self.exact.get(match.group()) or self.loose.get(normal(match.group()))
            if name is not None and (len(match.group()) > SHORT or match.group() in self.exact):
                yield match, name


def normal(text: str) -> str:
    """NFKC, case folded, single spaces, without quotes and a final full stop.

    >>> normal(' "Card  Arrival". ')
    'card arrival'
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.strip(QUOTES + ".,;:!").split())


@lru_cache(maxsize=64)
def _names(space: LabelSpace) -> Names:
    exact = {name: name for name in space.names}
    spellings: dict[str, set[str]] = {}
    titles: dict[str, set[str]] = {}
    for label in space.labels:
        titles.setdefault(label.title, set()).add(label.name)
        for spelling in (label.name, label.title, readable(label.name), readable(label.title)):
            if normal(spelling):
                spellings.setdefault(normal(spelling), set()).add(label.name)
    for title, owners in titles.items():
        if len(owners) == 1:
            exact.setdefault(title, next(iter(owners)))
    loose = {spelling: next(iter(owners)) for spelling, owners in spellings.items() if len(owners) == 1}
    return Names(exact, loose, _pattern([*exact, *loose]))


def _pattern(spellings: list[str]) -> re.Pattern[str]:
    """Any spelling with word borders where it begins or ends with a word character, longest first."""
    parts = []
    for spelling in sorted(set(spellings), key=lambda spelling: (-len(spelling), spelling)):
        left = r"(?<![\w-])" if re.match(r"\w", spelling) else ""
        right = r"(?![\w-])" if re.search(r"\w$", spelling) else ""
        parts.append(left + r"\s+".join(re.escape(word) for word in spelling.split()) + right)
    return re.compile("|".join(parts), re.IGNORECASE)
