"""Encoders that cost little: a small real one, and what others of this run have exported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from model.encoder.exported import DESCRIPTION, MODEL, TOKENIZER
from tests.support.guard import run_folder

WORDS = ["[PAD]", "[UNK]", "invoice", "parcel"]


def small_encoder(folder: Path) -> None:
    """An exported encoder of two dimensions: one for each of the two words it knows."""
    table = numpy_helper.from_array(np.array([[0, 0], [0, 0], [1, 0], [0, 1]], np.float32), "table")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["states"]),
        helper.make_node("ReduceSum", ["states", "axes"], ["vectors"], keepdims=0),
    ]
    shape = ["rows", "length"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["rows", 2])]
    constants = [table, numpy_helper.from_array(np.array([1], np.int64), "axes")]
    graph = helper.make_graph(nodes, "small", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), folder / MODEL)
    words = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.save(str(folder / TOKENIZER))
    description = {"identity": "small", "dimension": 2, "longest": 16, "padding": 0, "padding_token": "[PAD]"}
    (folder / DESCRIPTION).write_text(json.dumps(description))


def lend_exports(data: Path) -> None:
    """This data folder finds what any test of the run has exported. An export takes ten seconds of processor time, and
    the first student of a project needs one wherever the processor does not multiply in bfloat16."""
    shared = run_folder() / "exported"
    shared.mkdir(exist_ok=True)
    (data / "cache").mkdir(parents=True, exist_ok=True)
    place = data / "cache" / "exported"
    if not place.exists():
        place.symlink_to(shared, target_is_directory=True)
