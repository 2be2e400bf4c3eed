"""Servers of one protocol differ in what they know. A Dialect learns from their complaints what to leave out."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, TypeAlias

import structlog

log = structlog.get_logger(__name__)

HINTS = {  # how a complaint names a wish
    "schema": re.compile(r"response_format|json_schema|json_object|output_config\.format|schema|guided|grammar|maxitems"
                         r"|structured output"),
    "max_tokens": re.compile(r"max_completion_tokens|max_tokens"),
    "temperature": re.compile(r"temperature"),
    "reasoning_effort": re.compile(r"reasoning[_ .]effort"),
    "template": re.compile(r"chat_template|enable_thinking"),
    "reasoning": re.compile(r"\breasoning\b(?![_ .]effort)"),
    "think": re.compile(r"\bthink\b"),
    "thinking": re.compile(r"thinking"),
    "effort": re.compile(r"effort"),
}  # fmt: skip
POLITE = ("reasoning_effort", "template", "reasoning", "think")  # wishes not to think: nothing depends on them
OWN_FAULT = re.compile(  # the text is too long: no other way of asking helps
    r"context[_ ](length|window|size)|maximum context|max_model_len|too (long|large|many tokens)|reduce the length"
    r"|exceeds? the (available|maximum|model)"
)
Ways: TypeAlias = dict[str, list[dict[str, Any]]]  # wish -> ways to say it, the best first; `$`, or a function, takes
# the wish's value; an empty way leaves it out
Chosen: TypeAlias = dict[str, int]  # wish -> which of its ways


class Dialect:
    """For every wish a list of ways to say it, best first. A complaint leads to a try of the next way of what it names.

    A way is given up only when that try succeeds, and never after it has worked: then it is the text that is at fault.
    Refused requests cost nothing, so that learning is free. Safe for threads.
    """

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._lock = threading.Lock()
        self._chosen = dict.fromkeys(ways, 0)
        self._worked: set[str] = set()

    def chosen(self) -> Chosen:
        """The ways that are used now."""
        with self._lock:
            return dict(self._chosen)

    def given_up(self) -> list[str]:
        """Wishes whose best way was given up."""
        return [wish for wish, way in self.chosen().items() if way]

    def parameters(self, wishes: Mapping[str, Any], chosen: Chosen | None = None) -> dict[str, Any]:
        """Parameters of a request; a wish that is None is not said."""
        said: dict[str, Any] = {}
        taken = chosen or self._chosen
        for wish, ways in self._ways.items():
            if wishes.get(wish, True) is not None:
                _merge(said, _filled(ways[taken[wish]], wishes.get(wish)))
        return said

    def other(self, chosen: Chosen, complaint: str) -> Chosen | None:
        """What to try after a complaint about these ways; None if it names none for which there is another one.

        A complaint that names nothing may be about a wish not to think, as long as nothing has worked.
        """
        known = self.chosen()
        if any(chosen[wish] < way for wish, way in known.items()):  # somebody else has learned it meanwhile
            return {wish: max(chosen[wish], way) for wish, way in known.items()}
        told = complaint.lower()
        if OWN_FAULT.search(told):
            return None
        open_to = [wish for wish in self._ways if self._can_change(wish, chosen)]
        named = {wish: found.start() for wish in open_to if (found := HINTS[wish].search(told))}
        if named:
            first = min(named, key=lambda wish: named[wish])
            moved = [wish for wish in named if wish in POLITE] if first in POLITE else [first]
            return {**chosen, **{wish: chosen[wish] + 1 for wish in moved}}
        polite = {wish: len(self._ways[wish]) - 1 for wish in open_to if wish in POLITE}
        return {**chosen, **polite} if polite else None

    def worked(self, chosen: Chosen, wishes: Mapping[str, Any]) -> None:
        """A request with these wishes was answered that was said in these ways."""
        with self._lock:
            changed = {wish: way for wish, way in chosen.items() if way > self._chosen[wish]}
            if changed:
                log.info("the server does not know a parameter", given_up=sorted(changed))
            self._chosen.update(changed)
            said = (wish for wish in chosen if wishes.get(wish, True) is not None)
            self._worked.update(wish for wish in said if chosen[wish] == self._chosen[wish])

    def _can_change(self, wish: str, chosen: Chosen) -> bool:
        return wish not in self._worked and chosen[wish] + 1 < len(self._ways[wish])


def _merge(target: dict[str, Any], part: dict[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


def _filled(way: Any, value: Any) -> Any:
    if isinstance(way, dict):
        return {key: _filled(part, value) for key, part in way.items()}
    if callable(way):
        return way(value)
    return value if way == "$" else way
