"""An encoder as a folder that onnxruntime runs: a process needs neither torch nor transformers to answer with it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import threading
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import structlog

from model.arrays import FloatArray, IntArray
from model.encoder.batching import Batching
from model.encoder.usage import Usage
from model.errors import EncoderError

log = structlog.get_logger(__name__)

MODEL, DESCRIPTION, TOKENIZER = "encoder.onnx", "encoder.json", "tokenizer.json"
FORMS = ("float32", "int8")

_loaded: dict[tuple[Path, str], ExportedEncoder] = {}
_lock = threading.Lock()


@cache
def has_torch() -> bool:
    """Whether this process could import torch; nothing is imported."""
    try:
        return importlib.util.find_spec("torch") is not None
    except ImportError:  # something forbids it
        return False


def form_of(runtime: str) -> str:
    """In which of FORMS a student of that runtime is served without torch: float32 gives the labels of bfloat16."""
    return "int8" if runtime == "int8" else "float32"


def shared_name(encoder: str, form: str) -> str:
    """Under which name the registry keeps the exported encoder of that setting."""
    return f"encoder-{hashlib.sha256(encoder.encode()).hexdigest()[:16]}-{form}"


def open_exported(folder: Path, threads: int = 1) -> ExportedEncoder:
    """The encoder in that folder, loaded once per process; EncoderError says what is missing."""
    try:
        description = json.loads((folder / DESCRIPTION).read_text())
        key = (folder, str(description["identity"]))
        with _lock:
            if key not in _loaded:
                _loaded[key] = ExportedEncoder(folder, description, threads)
            return _loaded[key]
    except ImportError as error:
        raise EncoderError(f"an exported encoder needs the package {error.name}; install shortlist[serve]") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            f"{folder} holds no exported encoder ({type(error).__name__}: {error}); set SHARE_ENCODER=true where the "
            "workers run, and train once, or install shortlist[train] here"
        ) from error


class ExportedEncoder(Batching):
    """A loaded encoder. `identity` tells weights and number format, as that of any encoder."""

    def __init__(self, folder: Path, description: dict[str, object], threads: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.identity, self.dimension = str(description["identity"]), int(str(description["dimension"]))
        usage = description.get("usage", {"longest": description.get("longest")})  # older releases knew no other
        self.usage = Usage.of_json(cast("dict[str, Any]", usage))
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.padding = int(str(description["padding"]))
        # int8 scales all that is read at once by its largest value: a vector would depend on the texts beside it
        self._alone = self.identity.endswith(f"-{FORMS[1]}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the core alone
        self._session = onnxruntime.InferenceSession(folder / MODEL, options, providers=["CPUExecutionProvider"])
        log.info("encoder_loaded", folder=str(folder), identity=self.identity, dimension=self.dimension, device="cpu")

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        return [one.ids for one in self._tokenizer.encode_batch(texts)]

    def _run(self, ids: IntArray, mask: IntArray) -> FloatArray:
        if not self._alone:
            return self._infer(ids, mask)
        ends = [max(1, int(length)) for length in mask.sum(1)]
        rows = [(ids[row : row + 1, :end], mask[row : row + 1, :end]) for row, end in enumerate(ends)]
        return np.concatenate([self._infer(*row) for row in rows])

    def _infer(self, ids: IntArray, mask: IntArray) -> FloatArray:
        vectors: FloatArray = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors
