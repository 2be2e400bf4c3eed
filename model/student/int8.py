"""An encoder in int8, run by onnxruntime: exported from torch once per machine, weights quantised per channel."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import threading
import uuid
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from model.arrays import FloatArray
from model.errors import EncoderError
from model.student.encoder import Batching, fingerprint, load_encoder, mean_pool

log = structlog.get_logger(__name__)

MODEL, DESCRIPTION = "model.onnx", "encoder.json"
OPSET = 18

_loaded: dict[tuple[str, Path], Int8Encoder] = {}
_lock = threading.Lock()


def load_int8(name: str, folder: Path, threads: int = 1) -> Int8Encoder:
    """The encoder of that name in int8, loaded once per process; exported into `folder` if it is not there yet.

    EncoderError if the weights cannot be loaded, the packages of onnx are missing, or the export fails.
    """
    with _lock:
        key = (name, folder)
        if key not in _loaded:
            mark = fingerprint(name) or hashlib.sha256(name.encode()).hexdigest()[:16]
            place = folder / "int8" / mark
            if not (place / DESCRIPTION).is_file():
                _export(name, place, threads)
            _loaded[key] = Int8Encoder(name, place, threads)
        return _loaded[key]


class Int8Encoder(Batching):
    """A loaded int8 encoder."""

    def __init__(self, name: str, folder: Path, threads: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        description = json.loads((folder / DESCRIPTION).read_text())
        self.name = name
        self.identity, self.dimension = str(description["identity"]), int(description["dimension"])
        self.longest = int(description["longest"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(self.longest)
        self._tokenizer.enable_padding(pad_id=int(description["padding"]), pad_token=str(description["padding_token"]))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the core alone
        self._session = onnxruntime.InferenceSession(folder / MODEL, options, providers=["CPUExecutionProvider"])
        log.info("encoder_loaded", name=name, identity=self.identity, dimension=self.dimension, device="cpu")

    def _embed_batch(self, texts: list[str]) -> FloatArray:
        found = self._tokenizer.encode_batch(texts)
        inputs = {
            "input_ids": np.array([one.ids for one in found], np.int64),
            "attention_mask": np.array([one.attention_mask for one in found], np.int64),
        }
        vectors: FloatArray = self._session.run(None, inputs)[0]
        return vectors


def _export(name: str, place: Path, threads: int) -> None:
    """Write model, tokenizer and description; other processes see all of it or nothing."""
    encoder = load_encoder(name, threads)
    waiting = place.parent / f".{uuid.uuid4().hex}"
    waiting.mkdir(parents=True)
    try:
        _write_model(encoder.model, encoder.tokenizer, waiting)
        encoder.tokenizer.save_pretrained(waiting)
        description = {
            "identity": f"{encoder.identity}-int8",
            "dimension": encoder.dimension,
            "longest": encoder.longest,
            "padding": encoder.tokenizer.pad_token_id,
            "padding_token": encoder.tokenizer.pad_token,
        }
        (waiting / DESCRIPTION).write_text(json.dumps(description))
        if not place.exists():
            os.rename(waiting, place)
    except ImportError as error:
        raise EncoderError(f"STUDENT_RUNTIME=int8 needs the package {error.name}; install shortlist[train]") from error
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise EncoderError(
            f"STUDENT_ENCODER={name} cannot be exported to int8 ({reason}); set STUDENT_RUNTIME"
        ) from error
    finally:
        shutil.rmtree(waiting, ignore_errors=True)


def _write_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """Encoder with pooling and normalisation as one graph, then its weights in int8."""
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            return torch.nn.functional.normalize(mean_pool(states, attention_mask), dim=1)

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of packages that nobody needs
    names = ("input_ids", "attention_mask")
    inputs = tokenizer(["two texts", "of different lengths"], padding=True, return_tensors="pt")
    rows, length = torch.export.Dim("rows", max=65_536), torch.export.Dim("length", min=2, max=65_536)
    with warnings.catch_warnings(), torch.inference_mode(False):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Pooled().eval(),
            tuple(inputs[name] for name in names),
            dynamo=True,
            dynamic_shapes=({0: rows, 1: length},) * 2,
            input_names=list(names),
            output_names=["vectors"],
            opset_version=OPSET,
            verbose=False,
        )
        exact = folder / "exact.onnx"
        assert program is not None, "the dynamo exporter returns its program"
        program.save(str(exact))
        graph = onnx.load(exact)
        del graph.graph.value_info[:]  # left over shapes make the quantiser fail
        onnx.save(graph, exact)
        quantize_dynamic(exact, folder / MODEL, weight_type=QuantType.QInt8, per_channel=True)
    exact.unlink()
