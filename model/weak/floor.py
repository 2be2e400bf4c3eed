"""A floor under whatever was believed: on people's labels that no rival has seen, it must not be worse than any.

Rivals are a head trained on people's labels alone, the commonest of these labels, and the teacher as it says, which is
plain distillation. If one of them is right more often beyond noise, it takes the place of the beliefs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.text_groups import folds
from model.weak.chunks import Dense, Shares
from model.weak.judges import Known, weighted_mean
from model.weak.supervised import FOLDS, Heads

LEAST_JUDGES = 20
CRITICAL = 1.64  # one-sided 5 % point of the normal distribution
RIVALS = ("people alone", "commonest label", "teacher alone")


@dataclass(frozen=True)
class Floor:
    """What is believed in the end ("beliefs" or a rival), by how many labels that was judged, and the shares of them
    that each gets right."""

    chosen: str = "beliefs"
    labels: int = 0
    right: dict[str, float] | None = None


def floored(
    believed: Shares, left_out: Dense, posterior: Shares, heads: Heads | None, known: Known
) -> tuple[Shares, Floor]:
    """`believed` `(n, C)`, or the rival that beats it beyond noise. `left_out` `(k, C)` are the beliefs of each known
    row without the labels of its text, `posterior` `(n, C)` is the teacher's. Few labels change nothing."""
    if heads is None:
        return believed, Floor()
    mine, judges = heads.judges, known.of(heads.judges)
    if len(judges) < LEAST_JUDGES:
        return believed, Floor()
    common, unseen = frequencies(known, believed.shape[1])
    said = {
        "beliefs": left_out[mine],
        "people alone": heads.unseen[mine],
        "commonest label": unseen[mine],
        "teacher alone": posterior[judges.rows].astype(np.float64),
    }
    hits = {name: (shares.argmax(1) == judges.labels).astype(np.float64) for name, shares in said.items()}
    right = {name: weighted_mean(hit, judges.weights)[0] for name, hit in hits.items()}
    best = max(RIVALS, key=lambda name: right[name])
    one = 1.0 / len(judges)  # a single label more is noise, whatever its standard error (continuity correction)
    gain, error = weighted_mean(hits[best] - hits["beliefs"] - one, judges.weights)
    if gain <= CRITICAL * error or gain <= 0.0:
        return believed, Floor("beliefs", len(judges), right)
    taken = {"people alone": heads.said, "teacher alone": posterior}.get(best)
    if taken is None:
        taken = np.broadcast_to(common, believed.shape).astype(np.float16)
    return taken, Floor(best, len(judges), right)


def frequencies(known: Known, labels: int) -> tuple[Dense, Dense]:
    """The frequencies of the labels `(C,)`, and for each known row those in other folds of texts `(k, C)`."""
    hot = np.eye(labels)[known.labels] * known.weights[:, None]
    fold_of, unseen = folds(known.groups, FOLDS, 0), np.empty_like(hot)
    for fold in range(FOLDS):
        unseen[fold_of == fold] = hot[fold_of != fold].sum(0) + 1.0
    total = hot.sum(0) + 1.0
    return total / total.sum(), unseen / unseen.sum(1, keepdims=True)
