"""Texts to vectors: a transformers encoder, used as its authors mean it, computed in torch. See `runtimes` for int8."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

import structlog

from model.arrays import FloatArray, IntArray
from model.encoder.batching import Batching
from model.encoder.loading import Checkpoint, load_checkpoint
from model.encoder.pretrained import UNUSED

log = structlog.get_logger(__name__)

_loaded: dict[tuple[str, bool], Encoder] = {}
_lock = threading.Lock()


def load_encoder(name: str = "default", threads: int = 1, half: bool = False) -> Encoder:
    """The encoder of that name (a hub name, a folder, or `default`), loaded once per process; `half`: in bfloat16.

    Safe to call from several threads. EncoderError names the setting STUDENT_ENCODER.
    """
    import torch

    with _lock:
        torch.set_num_threads(threads)
        key = (name, half)
        if key not in _loaded:
            _loaded[key] = Encoder(name, load_checkpoint(name), half=half)
        return _loaded[key]


class Encoder(Batching):
    """A loaded encoder. `identity` is a hash over weights, usage and number format: one identity, equal vectors."""

    def __init__(self, name: str, checkpoint: Checkpoint, half: bool = False) -> None:
        import torch

        self.name, self.checkpoint = name, checkpoint
        self.usage, self.tokenizer = checkpoint.usage, checkpoint.tokenizer
        self.dimension = checkpoint.pooled.dimension
        self.padding = int(self.tokenizer.pad_token_id)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.identity = _identity(checkpoint) + ("-bfloat16" if half else "")
        self.pooled = checkpoint.pooled.to(self._device, torch.bfloat16 if half else torch.float32)
        self._lock = threading.Lock()
        log.info(
            "encoder_loaded", name=name, identity=self.identity, dimension=self.dimension, device=self._device,
            usage=self.usage.said(),
        )  # fmt: skip

    @property
    def model(self) -> Any:
        """The transformer without pooling."""
        return self.pooled.model

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        with self._lock:
            return self.checkpoint.tokens(texts)

    def _run(self, ids: IntArray, mask: IntArray) -> FloatArray:
        import torch

        with self._lock, torch.inference_mode():
            found = self.pooled(torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device))
            result: FloatArray = torch.nn.functional.normalize(found, dim=1).cpu().numpy()
            return result


def _identity(checkpoint: Checkpoint) -> str:
    """Twelve hex digits over usage, shapes and a sample of every weight tensor that a vector depends on."""
    kind = str(checkpoint.pooled.model.config.model_type)
    digest = hashlib.sha256(f"{kind} {json.dumps(checkpoint.usage.to_json())}".encode())
    for name, tensor in sorted(checkpoint.pooled.state_dict().items()):
        if any(part in name for part in UNUSED):
            continue
        flat = tensor.detach().flatten()
        sample = flat[:: max(1, flat.numel() // 64)].float().cpu().numpy()
        digest.update(f"{name}{tuple(tensor.shape)}".encode() + sample.tobytes())
    return digest.hexdigest()[:12]
