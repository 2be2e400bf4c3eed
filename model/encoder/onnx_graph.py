"""A module of torch as a graph of ONNX, for any number of texts of any length."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

OPSET = 18
INPUTS = ("input_ids", "attention_mask")


def export_graph(module: Any, tokenizer: Any, *outputs: str) -> Any:
    """The `onnx.ModelProto` of a module that takes INPUTS `(n, length)` and gives tensors `(n, d)`, named `outputs`.

    ImportError without the packages of ONNX; RuntimeError or ValueError if the exporter does not know an operation.
    """
    import onnx
    import torch

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of packages that nobody needs
    inputs = tokenizer(["two texts", "of different lengths"], padding=True, return_tensors="pt")
    rows, length = torch.export.Dim("rows", max=65_536), torch.export.Dim("length", min=2, max=65_536)
    with warnings.catch_warnings(), torch.inference_mode(False), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs[name] for name in INPUTS),
            dynamo=True,
            dynamic_shapes=({0: rows, 1: length},) * len(INPUTS),
            input_names=list(INPUTS),
            output_names=list(outputs),
            opset_version=OPSET,
            verbose=False,
        )
        assert program is not None, "the dynamo exporter returns its program"
        path = Path(folder) / "graph.onnx"  # its weights may lie in a file of their own beside it
        program.save(str(path))
        graph = onnx.load(path)
        del graph.graph.value_info[:]  # left over shapes make the quantiser fail
        return graph
