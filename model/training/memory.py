"""A head that remembers: of the texts that it learned from it says what was believed of them.

The teacher's answer to a text, and what people said of it, is more than a text alone tells. A network remembers that
by fitting its pool, and answers new texts worse for it. Here remembering costs new texts nothing: beside what a head
has learned every text has a hidden unit, which is silent unless the cosine with a text is that of one and the same.
Features of two texts have no such cosine: the key behind them has it, which is both texts' vectors as one.
"""

from __future__ import annotations

import numpy as np

from model.arrays import Doubles, FloatArray
from model.student.head import head_logits
from model.text_groups import ALIKE
from model.training.linear_head import Head
from model.training.targets import OUTSIDE, SoftTargets

LENGTH = 0.02  # by which a vector's length may differ from one (vectors are kept in half precision)


def can_remember(vectors: FloatArray) -> bool:
    """Whether vectors `(n, d)` have length one, as those of texts have and most features of pairs have not."""
    lengths = np.linalg.norm(np.asarray(vectors, np.float32), axis=1)
    return bool((np.abs(lengths - 1.0) < LENGTH).all())


def remembering(
    head: Head, vectors: FloatArray, targets: SoftTargets, keys: FloatArray | None = None, longest: float = 1.0
) -> Head:
    """Arrays for `head_logits` with a unit per row beside the units of `head`: of a linear one there is one per label,
    which carries its logit.

    A unit rises from 0 at a cosine of ALIKE to 1 at 1; texts that are alike share what there is to be told of them.
    They are told apart by their `keys` `(n, e)` of length one, which then stand behind what `head` sees, or else by the
    vectors themselves. No vector is longer than `longest`.
    """
    known = vectors if keys is None else keys
    seen = np.asarray(known, np.float64)
    seen /= (seen**2).sum(1, keepdims=True)
    active = np.maximum(known @ seen.T - ALIKE, 0.0) / (1.0 - ALIKE)
    labels = targets.targets.shape[1]
    told = np.log((1.0 - OUTSIDE) * targets.targets.numpy().astype(np.float64) + OUTSIDE / labels)
    missing = _centred(told) - _centred(head_logits(head, vectors))
    own = _with_units(head, longest)
    rows, width = len(seen), vectors.shape[1] + (0 if keys is None else keys.shape[1])
    hidden = np.zeros((width, rows + own["hidden"].shape[1]))
    hidden[-seen.shape[1] :, :rows] = seen.T / (1.0 - ALIKE)
    hidden[: vectors.shape[1], rows:] = own["hidden"]
    hidden_bias = np.concatenate([np.full(rows, -ALIKE / (1.0 - ALIKE)), own["hidden_bias"]])
    out = np.concatenate([missing / active.sum(1, keepdims=True), own["out"]])
    found = {"hidden": hidden, "hidden_bias": hidden_bias, "out": out, "out_bias": own["out_bias"]}
    found |= {"mean": np.zeros(width), "scale": np.ones(1)}
    return {name: array.astype(np.float32) for name, array in found.items()}


def _with_units(head: Head, longest: float) -> dict[str, Doubles]:
    """The same head with hidden units that see vectors as they are."""
    name = "hidden" if "hidden" in head else "out"
    weight = head["scale"].astype(np.float64)[:, None] * head[name]
    bias = head[f"{name}_bias"] - head["mean"] @ weight
    if "hidden" in head:
        out, out_bias = (head[last].astype(np.float64) for last in ("out", "out_bias"))
        return {"hidden": weight, "hidden_bias": bias, "out": out, "out_bias": out_bias}
    labels = len(bias)
    above = float((longest * np.linalg.norm(weight, axis=0) + np.abs(bias)).max())  # keeps every linear unit positive
    return {"hidden": weight, "hidden_bias": bias + above, "out": np.eye(labels), "out_bias": np.full(labels, -above)}


def before_key(head: Head, keys: FloatArray | None) -> Head:
    """A head of vectors as one that sees `keys` `(n, e)` behind them, and overlooks these."""
    more = 0 if keys is None else keys.shape[1]
    name = "hidden" if "hidden" in head else "out"
    return {**head, "mean": np.pad(head["mean"], (0, more)), name: np.pad(head[name], ((0, more), (0, 0)))}


def _centred(logits: FloatArray) -> FloatArray:
    found: FloatArray = logits - logits.mean(1, keepdims=True)
    return found
