"""A student of Shortlist that needs nothing but onnxruntime, tokenizers and numpy. This file travels with it.

python classify.py "my card has not arrived"
"""

# It runs where Shortlist is not installed: no imports but those three.
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent
BATCH = 32

labels: list[str] = json.loads((HERE / "labels.json").read_text(encoding="utf-8"))
_tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))  # cuts off and pads as the student was trained
_session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])


def probabilities(texts: Sequence[str]) -> Any:
    """Float32 `(n, C)`: one row per text, one column per label, in the order of `labels`; rows sum to 1."""
    rows = [np.zeros((0, len(labels)), np.float32)]
    for start in range(0, len(texts), BATCH):
        found = _tokenizer.encode_batch(list(texts[start : start + BATCH]))
        ids = np.array([one.ids for one in found], np.int64)
        mask = np.array([one.attention_mask for one in found], np.int64)
        rows.append(_session.run(["probabilities"], {"input_ids": ids, "attention_mask": mask})[0])
    return np.concatenate(rows)


def classify(text: str, top_k: int = 1) -> list[dict[str, Any]]:
    """The `top_k` most probable labels of one text, the most probable first."""
    (row,) = probabilities([text])
    return [{"label": labels[place], "score": float(row[place])} for place in np.argsort(-row, kind="stable")[:top_k]]


if __name__ == "__main__":
    for given in sys.argv[1:]:
        sys.stdout.write(json.dumps(classify(given, top_k=3), ensure_ascii=False) + "\n")
