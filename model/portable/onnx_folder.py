"""A student as a folder that ONNX Runtime loads without torch, transformers or Shortlist."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.encoder.onnx_graph import export_graph
from model.errors import ArtifactError
from model.portable.questions import described, write_code
from model.portable.transformers_folder import (
    by_itself,
    card_text,
    encoder_alone,
    new_folder,
    portable_model,
    sees_each_text,
)
from model.student.loading import load_student

if TYPE_CHECKING:
    from model.encoder.loading import Checkpoint

MODEL, TOKENIZER, LABELS, CODE = "model.onnx", "tokenizer.json", "labels.json", "classify.py"
USAGE, HEADS = "usage.json", "heads.npz"
NEEDS = "onnxruntime, tokenizers and numpy"
EXAMPLE = """import sys; sys.path.append("{folder}")
from classify import classify
print(classify("{text}"))"""


PAIR_EXAMPLE = """import sys; sys.path.append("{folder}")
from classify import classify
print(classify(("the first text", "the second text")))"""


def write_onnx(stored: Path, folder: Path, facts: Mapping[str, object], text: str) -> str:
    """Write the student stored in `stored` to the new folder `folder`: one graph from token ids to probabilities in
    float32, tokenizer, label names, card and code. `facts` and `text` (an example) go on its card. Of a student of
    pairs the graph ends at the vectors of texts. The code that uses it, with a field `folder`, perhaps `text`.

    ArtifactError if the folder exists already, the student has no such form, or the packages of ONNX are missing.
    """
    student: Any = by_itself(load_student(stored))
    new_folder(folder)
    pairs = sees_each_text(student)
    model, checkpoint = encoder_alone(student) if pairs else portable_model(student)
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
    _write_usage(folder, student, model, checkpoint, pairs)
    (folder / LABELS).write_text(json.dumps(student.space.names, ensure_ascii=False, indent=1), encoding="utf-8")
    write_code("onnx_classify.py", folder / CODE)
    example = PAIR_EXAMPLE if pairs else EXAMPLE
    card = card_text(student, facts, example, "onnx", text, folder.name)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return example


def _graph(model: Any, tokenizer: Any) -> Any:
    """One graph from `input_ids` and `attention_mask` `(n, length)` to `probabilities` `(n, C)` and, for long texts
    that are read in pieces, `vectors` `(n, d)`; without heads to `vectors` alone."""
    import torch

    class Probabilities(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            vectors = self.model.vectors(input_ids, attention_mask)
            if not len(self.model.heads):
                return vectors
            return self.model.shares(self.model.classified(vectors).logits), vectors

    outputs = ("probabilities", "vectors") if len(model.heads) else ("vectors",)
    return export_graph(Probabilities(), tokenizer, *outputs)


def _write_usage(folder: Path, student: Any, model: Any, checkpoint: Checkpoint, pairs: bool) -> None:
    """What the code needs beside the graph: how texts are read, and the heads for pairs and texts in several pieces."""
    own = ((number, *item) for number, head in enumerate(student.heads) for item in head.items()) if pairs else ()
    arrays = {f"{number}.{name}": array for number, name, array in own} if pairs else _arrays(model)
    facts = {"padding": int(checkpoint.tokenizer.pad_token_id), "questions": described(student)}
    heads = len({name.split(".", 1)[0] for name in arrays})
    usage = {**checkpoint.usage.to_json(), **facts, "heads": heads, "sharpness": float(model.config.sharpness)}
    usage |= {"pair": student.view.to_json()} if pairs else {}
    (folder / USAGE).write_text(json.dumps(usage), encoding="utf-8")
    np.savez(folder / HEADS, **arrays)


def _arrays(model: Any) -> dict[str, Any]:
    """The heads' weights, named as those of a stored student."""
    arrays: dict[str, Any] = {}
    for number, head in enumerate(model.heads):
        arrays |= {f"{number}.mean": head.mean, f"{number}.scale": head.scale}
        for name, layer in (("hidden", head.hidden), ("out", head.out)):
            if layer is not None:
                arrays |= {f"{number}.{name}": layer.weight.T, f"{number}.{name}_bias": layer.bias}
    return {name: tensor.detach().numpy() for name, tensor in arrays.items()}
