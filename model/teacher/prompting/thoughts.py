"""What a model thought before it answered, as servers leave it in the text: found by its marks, and cut away.

Forms that are known: <think>, <thinking>, <thought>, <reasoning>, <reflection>, <seed:think> and their like, [THINK],
◁think▷, <|START_THINKING|>, <|begin_of_thought|>, channels (<|channel|>analysis<|message|>, also without their marks),
and "Here is my thought process:". Often the opening mark is missing, because it belongs to the prompt.
"""

from __future__ import annotations

import re

WORD = r"[\w:.-]*(?:think|thought|reason|reflect|rationale|scratch|monolog|deliberat|ponder|analysis|chain_of)[\w:.-]*"
OPENED = re.compile(
    rf"<\|?(?:START_|begin_of_)?(?!/)(?!end_)(?!END_){WORD}(?:\s[^<>]*)?\|?>|\[{WORD}\]|◁{WORD}▷"
    r"|<\|inner_prefix\|>|<\|channel\|?>\s*(?:analysis|commentary|thought)\b[^<]{0,40}(?:<\|message\|>)?"
    r"|^\s*(?:assistant)?analysis(?=[A-Z])|here(?:'s| is) my thought process:?",
    re.IGNORECASE,
)
CLOSED = re.compile(
    rf"<\|?\s*/\s*{WORD}\s*\|?>|\[\s*/\s*{WORD}\]|◁\s*/\s*{WORD}▷|<\|(?:end_of_|END_){WORD}\|>|<\|inner_suffix\|>"
    r"|<channel\|>|<\|channel\|?>\s*final\b[^<]{0,40}(?:<\|message\|>)?|assistantfinal"
    r"|here(?:'s| is) my response:?",
    re.IGNORECASE,
)
STRIPPED = re.compile(r"^\s*(?:assistant)?analysis(?=[A-Z])")  # a channel whose marks the server has taken away
WRAPPED = re.compile(
    r"<\|?(?:START_|begin_of_)?(?:final_?answer|answer|response|solution|final|output|box)\|?>|\\boxed\s*\{"
    r"|\b(?:assistant)?final(?=\{)",
    re.IGNORECASE,
)
UNWRAPPED = re.compile(
    r"<\|?/?(?:end_of_|END_)?(?:final_?answer|answer|response|solution|final|output|box)\|?>"
    r"|<\|[\w/-]{1,24}\|>|</s>",
    re.IGNORECASE,
)


def without_thoughts(text: str) -> str:
    """The answer alone: what follows the last closing mark. "" where the model did not get beyond thinking.

    >>> without_thoughts("maybe a\\n</think>\\n\\nb").strip()
    'b'
    """
    closed = last(CLOSED, text)
    rest = text if closed is None else text[closed.end() :]
    opened = _opened(rest)
    if opened is not None:
        rest = rest[: opened.start()]
    if rest.strip() or closed is None:
        return rest
    return _outside(text)  # it answered first, and thought about it afterwards


def has_thoughts(text: str) -> bool:
    """Whether marks of thinking stand in a text."""
    return _opened(text) is not None or CLOSED.search(text) is not None


def unwrapped(text: str) -> str:
    """What stands in the last <answer> or \\boxed{…}, without marks of the end; all of it where there is none."""
    begun = last(WRAPPED, text)
    if begun is None:
        return UNWRAPPED.sub(" ", text) if "<|" in text or "</" in text else text
    inner = text[begun.end() :]
    if begun.group().startswith("\\"):
        return inner.partition("}")[0]
    return UNWRAPPED.split(inner, maxsplit=1)[0]


def last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last match."""
    found = None
    for match in pattern.finditer(text):
        found = match
    return found


def _opened(text: str) -> re.Match[str] | None:
    """The first opening mark. A stripped channel counts in its very form only: `Analysis` may begin a sentence."""
    for match in OPENED.finditer(text):
        bare = match.group().strip().lower() in ("analysis", "assistantanalysis")
        if not bare or STRIPPED.match(text):
            return match
    return None


def _outside(text: str) -> str:
    """What stands outside of complete pairs of marks; "" if a closing mark is left over."""
    rest, place = "", 0
    while (opened := OPENED.search(text, place)) is not None:
        closed = CLOSED.search(text, opened.end())
        rest += text[place : opened.start()]
        if closed is None:
            return rest
        place = closed.end()
    rest += text[place:]
    return "" if CLOSED.search(rest) else rest
