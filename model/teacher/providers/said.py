"""What a server says in place of an answer: its own words, in whatever shape, and which HTTP status they mean."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WORDS = ("message", "msg", "detail", "error_message", "error_description", "description", "title", "reason", "error")
LONGEST = 300
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.IGNORECASE | re.DOTALL)
PAGE = re.compile(r"^\s*(?:<!doctype html|<html|<head|<body|<!--)", re.IGNORECASE)
NO_MONEY = re.compile(
    r"insufficient[_ ](quota|credit|balance|fund)|billing[_ ](hard|not|limit)|credit balance|out of credit|no credit"
    r"|payment[_ ]required|exceeded your current quota|more credits|top up|account is not active|arrearage|欠费|余额",
    re.IGNORECASE,
)
MEANINGS = (  # words of codes, types and messages, and the status that a server should have sent
    (401, r"invalid[_ ](api[_ ])?key|incorrect api key|authenti|unauthori[sz]ed|no auth|token (is )?(invalid|expired)"),
    (429, r"rate[_ -]?limit|too many requests|throttl|resource[_ ]exhausted|slow down|quota exceeded|try again later"),
    (404, r"model[_ ]not[_ ]found|no such model|does not exist|unexpected endpoint|not[_ ]found|unknown model"
          r"|no endpoints found|model .{0,80}not (found|loaded|available)|unknown (url|path|route)"),
    (403, r"permission|forbidden|access denied|not allowed|blocked by"),
    (413, r"context[_ ]length|maximum context|context window|context size|too (long|large)|too many tokens"
          r"|prompt is longer"),
    (400, r"invalid[_ ](request|parameter|argument|value)|bad[_ ]request|unsupported|validation|unrecognized|unknown"
          r" (field|parameter|argument)|extra inputs|content[_ ](filter|policy)|moderation|mandatory"),
    (503, r"overload|unavailable|timed?[_ ]?out|server[_ ]error|internal|bad gateway|gateway|upstream|no instances"
          r"|loading model|capacity|maintenance|\b50[0234]\b|service is busy|temporar"),
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """`status` as HTTP would have it, 0 where nothing tells; the server's own `words`; whether a web `page` came."""

    status: int
    words: str
    page: bool = False
    no_money: bool = False


def said_in(content: Any, status: int = 0) -> Said:
    """What an error says: JSON of any shape, or text. `status` is HTTP's own, 0 for what came with a 200."""
    if isinstance(content, str) and PAGE.match(content):
        words = page_words(content)
        return Said(status or meant(words), words, page=True)
    words = words_of(content) or "it gives no reason"
    codes = " ".join(_codes(content))
    number = next((int(code) for code in codes.split() if re.fullmatch(r"[45]\d\d", code)), 0)
    told = f"{codes} {words}"
    return Said(status or number or meant(told), words, no_money=bool(NO_MONEY.search(told)))


def is_error(content: Any) -> bool:
    """Whether an answer, read as JSON, is an error in truth, also with a 200."""
    if not isinstance(content, Mapping):
        return False
    if content.get("error") or content.get("object") == "error" or content.get("type") == "error":
        return True
    choices = content.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) and choices[0].get("error"):
        return True
    if content.get("choices") or content.get("content"):
        return False
    return any(isinstance(content.get(name), str | list) and content[name] for name in ("detail", "message", "errors"))


def meant(told: str) -> int:
    """The HTTP status that words of an error mean; 0 for none that is known."""
    return next((status for status, words in MEANINGS if re.search(words, told, re.IGNORECASE)), 0)


def words_of(content: Any) -> str:
    """The sentence in an error of any shape, the innermost one where errors of an upstream server are wrapped."""
    if isinstance(content, str):
        return " ".join(content.split())[:LONGEST]
    if isinstance(content, list):
        return "; ".join(filter(None, map(words_of, content[:3])))[:LONGEST]
    if not isinstance(content, Mapping):
        return ""
    choices = content.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) and choices[0].get("error"):
        return words_of(choices[0]["error"])
    for name in ("error", "errors"):
        if isinstance(content.get(name), Mapping | list) and (found := words_of(content[name])):
            return found
    said = next((found for name in WORDS if (found := words_of(content.get(name)))), "")
    place = content.get("loc") or content.get("param")
    if isinstance(place, list):
        place = ".".join(map(str, place))
    upstream = content.get("metadata")
    raw = words_of(upstream.get("raw")) if isinstance(upstream, Mapping) else ""
    parts = [f"{said} ({place})" if said and isinstance(place, str) and place not in said else said, raw]
    return ": ".join(dict.fromkeys(filter(None, parts)))[:LONGEST]


def page_words(content: str) -> str:
    """What a web page is about: its title or heading, else how it begins."""
    found = TITLE.search(content) or HEADING.search(content)
    text = found.group(1) if found else content
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())[:120] or "without a title"


def _codes(content: Any, depth: int = 0) -> list[str]:
    """Codes, types and states in an error, the innermost last."""
    if depth > 3 or not isinstance(content, Mapping | list):
        return []
    if isinstance(content, list):
        return [code for part in content[:3] for code in _codes(part, depth + 1)]
    names = ("code", "status", "statusCode", "status_code", "type")
    own = [str(content[name]) for name in names if isinstance(content.get(name), str | int)]
    inner = [content.get(name) for name in ("error", "errors", "detail", "choices")]
    return [*own, *(code for part in inner for code in _codes(part, depth + 1))]
