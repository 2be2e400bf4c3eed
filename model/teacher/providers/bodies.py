"""Reading the bodies of answers: text in parts, thoughts beside it, counts of tokens that may be missing, streams."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thought", "reasoning_text")  # fields beside the content
THOUGHT_PARTS = ("thinking", "reasoning", "redacted_thinking", "reasoning.text", "thought")
Tokens: TypeAlias = tuple[int, int, int, int, int]  # sent (all), read from a cache, written to it, received, thought

OPENAI_USAGE = {
    "sent": ("prompt_tokens", "input_tokens"),
    "received": ("completion_tokens", "output_tokens"),
}


def written(message: Mapping[str, Any]) -> tuple[str, str]:
    """What a message says, and what was thought for it."""
    text, thoughts = joined(message.get("content"))
    beside = " ".join(joined(message.get(name))[0] for name in THOUGHTS)
    return text, f"{thoughts} {beside}".strip()


def joined(content: Any) -> tuple[str, str]:
    """The text of a content that is a string, or parts of text and thoughts."""
    if isinstance(content, str):
        return content, ""
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, list):
        return "", ""
    text, thoughts = "", ""
    for part in content:
        if isinstance(part, str):
            text += part
        elif isinstance(part, Mapping):
            kind = str(part.get("type", "text"))
            said = next((joined(part[name])[0] for name in ("text", "content", *THOUGHTS) if part.get(name)), "")
            if kind in THOUGHT_PARTS:
                thoughts += said or "(not shown)"
            else:
                text += said
    return text, thoughts


def tokens(usage: Any, names: Mapping[str, tuple[str, ...]]) -> Tokens:
    """Counts of tokens; 0 for what is missing, or no number."""
    found = usage if isinstance(usage, Mapping) else {}
    details = _part(found, "prompt_tokens_details") or _part(found, "input_tokens_details")
    output = _part(found, "completion_tokens_details") or _part(found, "output_tokens_details")
    sent = next((number for name in names["sent"] if (number := whole(found.get(name)))), 0)
    received = next((number for name in names["received"] if (number := whole(found.get(name)))), 0)
    cached = min(sent, whole(details.get("cached_tokens")))
    stored = min(sent - cached, whole(details.get("cache_write_tokens")))
    return sent, cached, stored, received, whole(output.get("reasoning_tokens"))


def whole(value: Any) -> int:
    """A count that a server told; 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        return max(0, int(float(value)))
    except (ValueError, OverflowError):
        return 0


def events(body: str) -> list[dict[str, Any]]:
    """The JSON objects of a stream of server-sent events, or of lines."""
    found = []
    for line in body.splitlines():
        content = line.removeprefix("data:").strip()
        if not content.startswith("{"):
            continue
        try:
            found.append(json.loads(content))
        except (ValueError, RecursionError):
            return []
    return found


def chunks_joined(body: str) -> dict[str, Any] | None:
    """A chat completion from its chunks; an error among them is the answer. None if these are no chunks."""
    text, thoughts, ended, usage, known = "", "", None, None, False
    for event in events(body):
        if event.get("error"):
            return event
        usage = event.get("usage") or usage
        choices = event.get("choices")
        for choice in choices[:1] if isinstance(choices, list) else []:
            known = True
            said, thought = written(choice.get("delta") or choice.get("message") or {})
            text, thoughts = text + said, thoughts + thought
            ended = choice.get("finish_reason") or ended
    if not known:
        return None
    message = {"role": "assistant", "content": text, "reasoning_content": thoughts}
    return {"choices": [{"message": message, "finish_reason": ended}], "usage": usage}


def _part(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = usage.get(name)
    return found if isinstance(found, Mapping) else {}
