"""Ways to run an encoder: float32 or bfloat16 in torch, int8 in onnxruntime. A student keeps to that of its training.

bfloat16 costs a third of float32 where the processor multiplies it (AMX, AVX512-BF16, GPUs); int8 costs less than
float32 everywhere. Of a random head's labels bfloat16 leaves 98.5 % as they are and int8 93 % (docs/evidence/speed.md),
so that every training compares its own student's labels, and is done in float32 where fewer than 99.5 % agree.
"""

from __future__ import annotations

import importlib.util
import json
import os
import uuid
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from model.encoder.batching import Batching, Progress
from model.encoder.encoder import load_encoder
from model.encoder.exported import has_torch, open_exported
from model.encoder.place import fingerprint
from model.errors import EncoderError

if TYPE_CHECKING:
    from model.arrays import FloatArray

RUNTIMES = ("float32", "bfloat16", "int8")
FLAGS = ("amx_bf16", "avx512_bf16", "bf16")  # of /proc/cpuinfo: x86 and ARM


def has_gpu() -> bool:
    """Whether torch is here and finds an NVIDIA GPU."""
    if not has_torch():
        return False
    import torch

    return bool(torch.cuda.is_available())


@cache
def preferred() -> str:
    """The fastest way on this machine: bfloat16 where the processor has it, else int8 where it is installed.

    Without torch it is float32: every project shares its encoder in that form.
    """
    if not has_torch():
        return "float32"
    if has_gpu() or _native_bfloat16(Path("/proc/cpuinfo")):
        return "bfloat16"
    there = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime", "onnxscript"))
    return "int8" if there else "float32"


def open_encoder(
    name: str = "default", runtime: str = "float32", folder: Path | None = None, threads: int = 1
) -> Batching:
    """The encoder of that name, run in one of RUNTIMES; `folder` keeps what int8 is exported to.

    EncoderError if the weights cannot be loaded or exported.
    """
    if runtime not in RUNTIMES:
        raise EncoderError(f"STUDENT_RUNTIME={runtime!r} is unknown; allowed are auto, {', '.join(RUNTIMES)}")
    if not has_torch():
        raise EncoderError(f"STUDENT_ENCODER={name} needs torch here; install shortlist[train]")
    if runtime == "int8":
        from model.encoder.export import exported

        return open_exported(exported(name, runtime, folder or _user_cache(), threads), threads)
    return load_encoder(name, threads, half=runtime == "bfloat16")


class Sleeping:
    """An encoder that is loaded when a text must be encoded: where all vectors are cached, its identity is enough."""

    def __init__(self, identity: str, dimension: int, wake: Callable[[], Batching]) -> None:
        self.identity, self.dimension = identity, dimension
        self._wake = wake

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> FloatArray:
        """As `Batching.embed`."""
        return self._wake().embed(texts, progress)


def sleeping(name: str, runtime: str, folder: Path, threads: int = 1) -> Sleeping | Batching:
    """The encoder, not loaded yet if `folder` tells the identity that the same files had when they were loaded."""
    mark = fingerprint(name)
    note = folder / "encoders" / f"{mark}-{runtime}.json"
    wake = partial(open_encoder, name, runtime, folder, threads)
    if not mark:
        return wake()
    try:
        known = json.loads(note.read_text())
        return Sleeping(str(known["identity"]), int(known["dimension"]), wake)
    except (OSError, ValueError, KeyError, TypeError):
        encoder = wake()
    note.parent.mkdir(parents=True, exist_ok=True)
    waiting = note.with_name(f".{uuid.uuid4().hex}")
    waiting.write_text(json.dumps({"identity": encoder.identity, "dimension": encoder.dimension}))
    os.replace(waiting, note)
    return encoder


def _native_bfloat16(cpuinfo: Path) -> bool:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return not set(FLAGS).isdisjoint(flags.split())


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "shortlist"
