"""Texts to token ids, and which of these stand around a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SAMPLES = ("a b", "9 z")  # texts that share no beginning


def tokens_of(tokenizer: Any, texts: Sequence[str], special: bool = True) -> list[list[int]]:
    """Token ids of each text by a tokenizer of transformers, however many they are."""
    found = tokenizer(
        list(texts), add_special_tokens=special, truncation=False, padding=False, return_attention_mask=False,
        return_token_type_ids=False, verbose=False,
    )  # fmt: skip
    ids: list[list[int]] = found["input_ids"]
    return ids


def edges(tokenizer: Any, prefix: str) -> tuple[int, int, int]:
    """How many tokens stand before a text (special ones and the prefix) and behind it, and how many of those before it
    count as the prompt where that is left out of the pooling (special ones before it included)."""
    whole, bare = (tokens_of(tokenizer, [SAMPLES[0]], special)[0] for special in (True, False))
    before = next((at for at in range(len(whole)) if whole[at : at + len(bare)] == bare), 0)
    trail = len(whole) - len(bare) - before
    one, other = tokens_of(tokenizer, [prefix + sample for sample in SAMPLES], special=False)
    apart = (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    same = next(apart, max(0, len(one) - len(bare)))  # a tokenizer of few words knows neither sample
    prompt = before + len(tokens_of(tokenizer, [prefix], special=False)[0]) if prefix else 0
    return before + (same if prefix else 0), trail, prompt
