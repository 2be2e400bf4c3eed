"""What two texts have in common by their words and letters. This file travels with exported students.

Encoders of sentences overlook what a single word changes: a name, a number, a "not". Seen beside their vectors, such
shares tell paraphrases from texts that are merely about the same (docs/evidence/pairs.md); the features are those of
the task's first systems (Malakasiotis and Androutsopoulos, 2007), without anything that knows a language.
"""

# It runs where Shortlist is not installed.
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

WORD = re.compile(r"\w+")
RUNS = (1, 2, 3)  # words that follow each other
LETTERS = (2, 4)  # characters that do: word forms, and writing without spaces
MOST = 10_000  # characters of a text that are compared
AT_ONCE = 32  # pairs: the sets of so many long texts are some 100 MB
COLUMNS = 2 * (len(RUNS) + len(LETTERS) + 2) + 1


def plain(text: str) -> str:
    """A text as it is compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def words_of(text: str) -> frozenset[str]:
    """Its words."""
    return frozenset(WORD.findall(plain(text)))


class Words:
    """What is compared of one text: its words in their order, and sets of runs of words and of letters."""

    def __init__(self, text: str) -> None:
        text = plain(text.strip()[:MOST])  # as a task's parts are
        self.all = WORD.findall(text)
        self.words = frozenset(self.all)
        words = [frozenset(zip(*(self.all[at:] for at in range(size)), strict=False)) for size in RUNS]
        letters = [frozenset(text[at : at + size] for at in range(len(text) - size + 1)) for size in LETTERS]
        self.runs: list[frozenset[Any]] = [*words, *letters]


def contained(words: frozenset[str], others: frozenset[str]) -> float:
    """Of the words the share that the others have too, by length: longer words are rarer."""
    return sum(map(len, words & others)) / max(1, sum(map(len, words)))


def query_words(pairs: Sequence[tuple[str, str]], side: int) -> Any:
    """Of the words of each pair's text at `side` the share that its other text has, by length, float32 `(n,)`."""
    known = {text: words_of(text) for text in dict.fromkeys(text for pair in pairs for text in pair)}
    return np.array([contained(known[pair[side]], known[pair[1 - side]]) for pair in pairs], np.float32)


def in_common(pairs: Sequence[tuple[str, str]], symmetric: bool = False) -> Any:
    """Float32 `(n, COLUMNS)`: of each text's runs of words and letters, and of its words by their length, the share
    that the other has; how many words the other lacks (logarithm); and how much longer one is. What there is for both
    texts comes twice, the first text's before the second's; where their order does not matter the lesser first."""
    rows = np.zeros((len(pairs), COLUMNS), np.float32)
    for start in range(0, len(pairs), AT_ONCE):
        some = pairs[start : start + AT_ONCE]
        known = {text: Words(text) for text in {text for pair in some for text in pair}}
        for row, (first, second) in zip(rows[start:], some, strict=False):
            _fill(row, known[first], known[second], symmetric)
    return rows


def _fill(row: Any, left: Words, right: Words, symmetric: bool) -> None:
    sides = np.array([_of(left, right), _of(right, left)], np.float32)
    row[:-1] = (np.sort(sides, axis=0) if symmetric else sides).ravel()
    lengths = sorted((len(left.all), len(right.all)))
    row[-1] = lengths[0] / max(1, lengths[1])


def _of(one: Words, other: Words) -> list[float]:
    shares = [len(mine & its) / max(1, len(mine)) for mine, its in zip(one.runs, other.runs, strict=True)]
    return [*shares, contained(one.words, other.words), float(np.log1p(len(one.words - other.words))) / 3]
