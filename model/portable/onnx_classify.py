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
_usage: dict[str, Any] = json.loads((HERE / "usage.json").read_text(encoding="utf-8"))
_tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))
_session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])
_heads = np.load(HERE / "heads.npz")


def probabilities(texts: Sequence[str]) -> Any:
    """Float32 `(n, C)`: one row per text, one column per label, in the order of `labels`; rows sum to 1,
    unless several labels may be right (see README.md)."""
    rows = [np.zeros((0, len(labels)), np.float32)]
    for start in range(0, len(texts), BATCH):
        given = [_usage["prefix"] + text for text in texts[start : start + BATCH]]
        given = [text.lower() for text in given] if _usage["lower"] else given
        pieces = [_pieces(one.ids) for one in _tokenizer.encode_batch(given)]
        if all(len(parts) == 1 for parts in pieces):
            rows.append(_run([parts[0] for parts in pieces], "probabilities"))
        else:
            rows.append(_of_vectors(np.stack([_vector(parts) for parts in pieces])))
    return np.concatenate(rows)


def classify(text: str, top_k: int = 1) -> list[dict[str, Any]]:
    """The `top_k` most probable labels of one text, the most probable first."""
    (row,) = probabilities([text])
    return [{"label": labels[place], "score": float(row[place])} for place in np.argsort(-row, kind="stable")[:top_k]]


def _run(rows: Sequence[list[int]], output: str) -> Any:
    """What the graph says about token ids; shorter rows are filled up on the right."""
    ids = np.full((len(rows), max(map(len, rows))), _usage["padding"], np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    return _session.run([output], {"input_ids": ids, "attention_mask": mask})[0]


def _pieces(ids: list[int]) -> list[list[int]]:
    """Tokens that are read at once: all, or of a long text pieces of equal length, evenly spread."""
    lead, end, longest, most = _usage["lead"], len(ids) - _usage["trail"], _usage["longest"], _usage["pieces"]
    if len(ids) <= longest:
        return [ids]
    room = max(1, longest - lead - _usage["trail"])
    size = -(-(end - lead) // -(-(end - lead) // room))
    starts = list(range(lead, end, size))
    if most == 1:
        starts, size = starts[:1], room
    elif len(starts) > most:
        starts = [starts[round(place)] for place in np.linspace(0, len(starts) - 1, most)]
    return [ids[:lead] + ids[at : min(at + size, end)] + ids[end:] for at in starts]


def _vector(pieces: list[list[int]]) -> Any:
    """The vector of a text: the mean of its pieces' vectors, weighted by their tokens."""
    found = np.concatenate([_run([piece], "vectors") for piece in pieces])
    if len(pieces) == 1:
        return found[0]
    weights = np.array([len(piece) - _usage["lead"] - _usage["trail"] for piece in pieces], np.float32)
    mean = weights @ found
    return mean / max(float(np.linalg.norm(mean)), 1e-12)


def _of_vectors(vectors: Any) -> Any:
    """The heads' mean probabilities for vectors `(n, d)`, tempered: what the graph computes behind its vectors."""
    total = np.zeros((len(vectors), len(labels)))
    for number in range(_usage["heads"]):
        head = {name.split(".", 1)[1]: _heads[name] for name in _heads.files if name.startswith(f"{number}.")}
        states = (vectors - head["mean"]) * head["scale"]
        if "hidden" in head:
            states = np.maximum(states @ head["hidden"] + head["hidden_bias"], 0.0)
        logits = states @ head["out"] + head["out_bias"]
        powers = np.exp(logits - logits.max(1, keepdims=True))
        total += powers / powers.sum(1, keepdims=True) / _usage["heads"]
    powers = np.maximum(total, 1e-12) ** _usage["sharpness"]
    return (powers / powers.sum(1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    for given in sys.argv[1:]:
        sys.stdout.write(json.dumps(classify(given, top_k=3), ensure_ascii=False) + "\n")
