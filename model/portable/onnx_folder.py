"""A student as a folder that ONNX Runtime loads without torch, transformers or Shortlist."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.encoder.onnx_graph import export_graph
from model.errors import ArtifactError
from model.portable.transformers_folder import card_text, new_folder, portable_model
from model.student.loading import load_student

if TYPE_CHECKING:
    from model.encoder.loading import Checkpoint

MODEL, TOKENIZER, LABELS, CODE = "model.onnx", "tokenizer.json", "labels.json", "classify.py"
USAGE, HEADS = "usage.json", "heads.npz"
NEEDS = "onnxruntime, tokenizers and numpy"
EXAMPLE = """import sys; sys.path.append("{folder}")
from classify import classify
print(classify("{text}", top_k=3))"""


def write_onnx(stored: Path, folder: Path, facts: Mapping[str, object], text: str) -> None:
    """Write the student stored in `stored` to the new folder `folder`: one graph from token ids to probabilities in
    float32, tokenizer, label names, card and code. `facts` and `text` (an example) go on its card.

    ArtifactError if the folder exists already, the student has no such form, or the packages of ONNX are missing.
    """
    student: Any = load_student(stored)
    new_folder(folder)
    model, checkpoint = portable_model(student)
    tokenizer = checkpoint.tokenizer
    fast = getattr(tokenizer, "backend_tokenizer", None)
    if fast is None:
        raise ArtifactError(f"the tokenizer of {student.encoder} has no fast form; export the student for transformers")
    try:
        import onnx
        from tokenizers import Tokenizer

        graph = _graph(model, tokenizer)
    except ImportError as error:
        raise ArtifactError(f"ONNX needs the package {error.name}: install shortlist[train]") from error
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ArtifactError(f"the student cannot be written as ONNX ({reason}): export it for transformers") from error
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, folder / MODEL)
    fast = Tokenizer.from_str(fast.to_str())  # a copy: other users of the encoder share its tokenizer
    fast.no_truncation()
    fast.no_padding()
    fast.save(str(folder / TOKENIZER))
    _write_usage(folder, model, checkpoint)
    (folder / LABELS).write_text(json.dumps(student.space.names, ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.copyfile(Path(__file__).with_name("onnx_classify.py"), folder / CODE)
    card = card_text(student, facts, EXAMPLE, "onnx", text, folder.name)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _graph(model: Any, tokenizer: Any) -> Any:
    """One graph from `input_ids` and `attention_mask` `(n, length)` to `probabilities` `(n, C)` and, for long texts
    that are read in pieces, `vectors` `(n, d)`."""
    import torch

    class Probabilities(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            vectors = self.model.vectors(input_ids, attention_mask)
            logits = self.model.classified(vectors).logits
            several = self.model.config.problem_type == "multi_label_classification"
            return torch.sigmoid(logits) if several else torch.softmax(logits, dim=1), vectors

    return export_graph(Probabilities(), tokenizer, "probabilities", "vectors")


def _write_usage(folder: Path, model: Any, checkpoint: Checkpoint) -> None:
    """What the code needs beside the graph: how texts are read, and the heads for texts in several pieces."""
    facts = {"padding": int(checkpoint.tokenizer.pad_token_id), "heads": len(model.heads)}
    usage = {**checkpoint.usage.to_json(), **facts, "sharpness": float(model.config.sharpness)}
    (folder / USAGE).write_text(json.dumps(usage), encoding="utf-8")
    arrays: dict[str, Any] = {}
    for number, head in enumerate(model.heads):
        arrays |= {f"{number}.mean": head.mean, f"{number}.scale": head.scale}
        for name, layer in (("hidden", head.hidden), ("out", head.out)):
            if layer is not None:
                arrays |= {f"{number}.{name}": layer.weight.T, f"{number}.{name}_bias": layer.bias}
    np.savez(folder / HEADS, **{name: tensor.detach().numpy() for name, tensor in arrays.items()})
