"""A student of Shortlist that needs nothing but onnxruntime, tokenizers and numpy. This file travels with it.

python classify.py "my card has not arrived"
"""

# It runs where Shortlist is not installed: no imports but those three, and the files beside it.
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from model.portable.answering import listed
from model.word_overlap import in_common, query_words

HERE = Path(__file__).resolve().parent
BATCH = 32

labels: list[str] = json.loads((HERE / "labels.json").read_text(encoding="utf-8"))
_usage: dict[str, Any] = json.loads((HERE / "usage.json").read_text(encoding="utf-8"))
_tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))
_session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])
_heads = np.load(HERE / "heads.npz")
_questions: list[dict[str, Any]] = _usage["questions"]
_pair: dict[str, Any] = _usage.get("pair") or {}


def probabilities(texts: Sequence[Any]) -> Any:
    """Float32 `(n, C)`: one row per text, one column per label, in the order of `labels`. The columns of a question
    sum to 1, unless several labels may be right. A student of pairs takes pairs: (first text, second text)."""
    if _pair:
        return _of_vectors(_features(texts, *_both(texts)))
    rows = [np.zeros((0, len(labels)), np.float32)]
    for pieces in _read(texts):
        if all(len(parts) == 1 for parts in pieces):
            rows.append(_run([parts[0] for parts in pieces], "probabilities"))
        else:
            rows.append(_of_vectors(np.stack([_vector(parts) for parts in pieces])))
    return np.concatenate(rows)


def ranked(query: str | None, documents: Sequence[Any]) -> list[dict[str, Any]]:
    """Documents with their scores, the best for the query first: by the cosine to it, and as far as that ranked better
    in training by the query's words and the expected grade. Where tasks shared a query that is in no text, `query` is
    None and documents are pairs of texts. ValueError unless the student has learned from queries and documents."""
    if not _pair or (_pair["query"] is None and not _pair["group"]):
        raise ValueError("this student has not learned from queries and their documents")
    if (_pair["query"] is None) != (query is None):
        raise ValueError("a query and its documents are needed" if query is None else "give None and pairs of texts")
    pairs = documents if query is None else [_sided(query, one) for one in documents]
    left, right = _both(pairs)
    shares = _of_vectors(_features(pairs, left, right))
    expected = (shares[:, ::-1] if _pair["falling"] else shares) @ np.arange(len(labels)) / (len(labels) - 1)
    scores = (
        (left * right).sum(1) + _pair["words"] * query_words(pairs, _pair["query"] or 0) + _pair["weight"] * expected
    )
    return [
        {"document": documents[place], "score": float(scores[place])} for place in np.argsort(-scores, kind="stable")
    ]


def _sided(query: str, document: str) -> tuple[str, str]:
    return (query, document) if _pair["query"] == 0 else (document, query)


def classify(text: Any, top_k: int | None = None) -> list[dict[str, Any]]:
    """The answer to one text (or pair of texts), as Shortlist serves it: the label, of levels in order the median, or
    all labels that are meant. With `top_k` so many labels: the answer, then the most probable of the others."""
    answer: list[dict[str, Any]] = listed(_questions, probabilities([text])[0], top_k)
    return answer


def _read(texts: Sequence[str]) -> Iterator[list[list[list[int]]]]:
    """Batches of texts as token ids, each in one piece or several."""
    for start in range(0, len(texts), BATCH):
        given = [_usage["prefix"] + text for text in texts[start : start + BATCH]]
        given = [text.lower() for text in given] if _usage["lower"] else given
        yield [_pieces(one.ids) for one in _tokenizer.encode_batch(given)]


def _both(pairs: Sequence[tuple[str, str]]) -> tuple[Any, Any]:
    """Vectors `(n, d)` of the first and of the second texts; each text is read once."""
    place = {text: row for row, text in enumerate(dict.fromkeys(text for pair in pairs for text in pair))}
    found = []
    for pieces in _read(list(place)):
        whole = all(len(parts) == 1 for parts in pieces)
        found.append(
            _run([parts[0] for parts in pieces], "vectors") if whole else np.stack([_vector(parts) for parts in pieces])
        )
    vectors = np.concatenate(found)
    left, right = (vectors[[place[pair[side]] for pair in pairs]] for side in (0, 1))
    return left, right


def _features(pairs: Sequence[tuple[str, str]], left: Any, right: Any) -> Any:
    """What the heads see of pairs of texts and of their vectors, see `usage.json`."""
    features, overlap, _ = _pair["features"].partition("+overlap")
    products, both = left * right, [left + right] if _pair["symmetric"] else [left, right]
    parts = [np.float32(5) * products.sum(1, keepdims=True)]
    if features == "difference":
        parts = [left - right]
    elif features != "cosine":
        parts = [np.abs(left - right), products, *parts, *(both if features == "relation+texts" else [])]
    if overlap:
        parts.append(in_common(pairs, _pair["symmetric"]))
    if _pair["keyed"]:
        key = np.concatenate([*both, *([np.abs(left - right)] if _pair["symmetric"] else [])], axis=1)
        parts.append(key / np.maximum(np.linalg.norm(key, axis=1, keepdims=True), 1e-12))
    return np.concatenate(parts, axis=1)


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
        for one in _questions:
            columns = slice(one["start"], one["stop"])
            total[:, columns] += (_odds if one["kind"] == "any" else _shares)(logits[:, columns]) / _usage["heads"]
    if len(_questions) > 1 or _questions[0]["kind"] == "any":
        return total.astype(np.float32)
    powers = np.maximum(total, 1e-12) ** _usage["sharpness"]
    return (powers / powers.sum(1, keepdims=True)).astype(np.float32)


def _odds(logits: Any) -> Any:
    return 0.5 + 0.5 * np.tanh(0.5 * logits)


def _shares(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


if __name__ == "__main__":
    for given in [tuple(sys.argv[1:3])] if _pair else sys.argv[1:]:
        sys.stdout.write(json.dumps(classify(given), ensure_ascii=False) + "\n")
