"""From torch to a folder that onnxruntime runs: encoder, pooling and normalisation as one graph, in float32 or int8."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.encoder.encoder import Encoder, load_encoder
from model.encoder.exported import DESCRIPTION, FORMS, MODEL, TOKENIZER, ExportedEncoder, form_of, shared_name
from model.encoder.onnx_graph import export_graph
from model.encoder.place import READING, fingerprint
from model.errors import EncoderError

if TYPE_CHECKING:
    from model.registry import Registry

SUFFIX = {"float32": "onnx", "int8": "int8"}  # of the identity

_lock = threading.Lock()


def exported(name: str, form: str, folder: Path, threads: int = 1) -> Path:
    """Where below `folder` the encoder of that name lies in one of FORMS; exported first if it is not there yet.

    EncoderError if the weights cannot be loaded, the packages of onnx are missing, or the export fails.
    """
    mark = fingerprint(name) or hashlib.sha256(f"{READING} {name}".encode()).hexdigest()[:16]
    place = folder / "exported" / f"{mark}-{form}"
    with _lock:
        if not (place / DESCRIPTION).is_file():
            encoder = load_encoder(name, threads)
            waiting = place.parent / f".{uuid.uuid4().hex}"
            waiting.mkdir(parents=True)
            try:
                write_exported(encoder, form, waiting)
                put(waiting, place)
            finally:
                shutil.rmtree(waiting, ignore_errors=True)
    return place


def put(waiting: Path, place: Path) -> None:
    """Rename a folder into place: others see all of it or nothing; the first one is right. OSError if that fails."""
    try:
        os.rename(waiting, place)
    except OSError:
        if not (place / DESCRIPTION).is_file():
            raise


def share_encoder(registry: Registry, name: str, runtime: str, folder: Path, threads: int = 1) -> None:
    """Keep the encoder in the registry for processes without torch: in float32, which everything can be answered with,
    and in the form that a student of that runtime needs. Nothing happens where the same weights are there already.

    EncoderError as `exported`; ArtifactError if the registry cannot be written.
    """
    for form in sorted({FORMS[0], form_of(runtime)}):
        place = exported(name, form, folder, threads)
        if not registry.shares(shared_name(name, form), place / DESCRIPTION):
            registry.share(shared_name(name, form), place)


def write_exported(encoder: Encoder, form: str, folder: Path) -> None:
    """Write model, tokenizer and description into `folder`; EncoderError says why not."""
    try:
        _write_model(encoder.pooled, encoder.tokenizer, form, folder / MODEL)
        encoder.tokenizer.save_pretrained(folder)
        description = {
            "identity": f"{encoder.identity}-{SUFFIX[form]}",
            "dimension": encoder.dimension,
            "usage": encoder.usage.to_json(),
            "padding": encoder.padding,
        }
        (folder / DESCRIPTION).write_text(json.dumps(description))
        if not (folder / TOKENIZER).is_file():
            raise ValueError("its tokenizer has no fast form")
        ExportedEncoder(folder, description, 1).embed(["ready"])
    except ImportError as error:
        raise EncoderError(f"exporting an encoder needs the package {error.name}; install shortlist[train]") from error
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise EncoderError(
            f"STUDENT_ENCODER={encoder.name} cannot be exported to {form} ({reason}); another STUDENT_RUNTIME or "
            "SHARE_ENCODER=false does without"
        ) from error


def _write_model(pooled: Any, tokenizer: Any, form: str, path: Path) -> None:
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Normalised(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pooled = pooled

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return torch.nn.functional.normalize(self.pooled(input_ids, attention_mask), dim=1)

    graph = export_graph(Normalised(), tokenizer, "vectors")
    if form == "int8":
        quantize_dynamic(graph, path, weight_type=QuantType.QInt8, per_channel=True)
    else:
        onnx.save(graph, path)
