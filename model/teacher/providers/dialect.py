"""Servers of one protocol differ in what they know. A Dialect learns from their complaints what to leave out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, TypeAlias

import structlog

log = structlog.get_logger(__name__)

HINTS = {  # words by which a complaint names a wish
    "schema": ("response_format", "json_schema", "json_object", "output_config.format", "schema", "guided", "grammar",
               "maxitems"),
    "max_tokens": ("max_completion_tokens", "max_tokens"),
    "temperature": ("temperature",),
    "reasoning": ("reasoning_effort", "reasoning"),
    "thinking": ("thinking",),
    "effort": ("effort",),
}  # fmt: skip
NOWHERE = 1 << 30
Ways: TypeAlias = dict[str, list[dict[str, Any]]]  # wish -> ways to say it, the best first; `$`, or a function, takes
# the wish's value; an empty way leaves it out


class Dialect:
    """For every wish a list of ways to say it, best first. A complaint moves the wish it names to the next way.

    Refused requests cost nothing, so that learning is free. Safe for threads: a complaint about a way that was
    already given up changes nothing.
    """

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._lock = threading.Lock()
        self._chosen = dict.fromkeys(ways, 0)
        self.version = 0

    def parameters(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters of a request; a wish that is None is not said."""
        said: dict[str, Any] = {}
        for wish, ways in self._ways.items():
            if wishes.get(wish, True) is not None:
                _merge(said, _filled(ways[self._chosen[wish]], wishes.get(wish)))
        return said

    def degrade(self, version: int, complaint: str) -> bool:
        """Whether asking again can help: the complaint names, first of all, a wish for which there is another way."""
        with self._lock:
            if version != self.version:
                return True
            named = {wish: _first(complaint.lower(), HINTS[wish]) for wish in self._ways if self._can_degrade(wish)}
            wish = min(named, key=lambda wish: named[wish], default="")
            if not wish or named[wish] == NOWHERE:
                return False
            self._chosen[wish] += 1
            self.version += 1
            log.info("the server does not know a parameter", wish=wish, next=self._chosen[wish])
            return True

    def _can_degrade(self, wish: str) -> bool:
        return self._chosen[wish] + 1 < len(self._ways[wish])


def _first(complaint: str, words: tuple[str, ...]) -> int:
    return min((complaint.find(word) for word in words if word in complaint), default=NOWHERE)


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
