"""Jobs as they are outside of benchmarks, made from stored ones: uneven pools, and shortlists without confidences.

Stored sets are about even, real pools are not. A variant draws rows, without replacement and the same ones every time,
so that labels have the stated shares in the pool and in the new texts; texts, gold and answers stay what they are.

    75, 85, 95   one label has that many percent of the rows, the others keep their proportions
    steps        80, 7, 5, 4 and 4 percent (five labels or more)
    zipf         one divided by the rank (six labels or more)
    order        the stored rows; of each answer only the order of its labels, as an LLM's shortlist has it
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.shared.datasets import Job, Part, chosen_rows
from model.labels import CandidateSet

MOSTLY = {"75": 0.75, "85": 0.85, "95": 0.95}
STEPS = (0.80, 0.07, 0.05, 0.04, 0.04)
UNEVEN = (*MOSTLY, "steps", "zipf")
ORDER = "order"
VARIANTS = (ORDER, *UNEVEN)
ZIPF_LABELS = 6
LEAST_ROWS = 80  # of a drawn pool; fewer are no job
MOST_ROWS = 2000


def variants(job: Job, names: Sequence[str] = VARIANTS, most: int = MOST_ROWS) -> Iterator[Job]:
    """The variants of a job that its rows allow, each of at most `most` train and test rows."""
    for name in names:
        found = ordered(job) if name == ORDER else uneven(job, name, most)
        if found is not None:
            yield found


def ordered(job: Job) -> Job | None:
    """The job without the teacher's confidences; None where it gave none."""
    if not any(one is not None and one.confidences for one in job.train.answers):
        return None

    def plain(part: Part) -> Part:
        return replace(part, answers=tuple(one and CandidateSet(one.labels) for one in part.answers))

    return replace(job, train=plain(job.train), test=plain(job.test), variant=ORDER)


def uneven(job: Job, name: str, most: int = MOST_ROWS) -> Job | None:
    """The job with the label shares of the variant; None where it has too few labels or rows for them.

    Which labels are frequent is drawn by a hash of set, variant and label; not by how many rows they have.
    """
    labels = sorted(set(job.train.gold) & set(job.space.names), key=lambda label: _draw(job.dataset, name, label))
    shares = _shares(name, job.train.gold, labels)
    if shares is None:
        return None
    parts = [_drawn(part, labels, shares, most) for part in (job.train, job.test)]
    if len(parts[0]) < LEAST_ROWS:
        return None
    return replace(job, train=parts[0], test=parts[1], variant=name)


def _draw(*parts: str) -> bytes:
    return hashlib.sha256("/".join(parts).encode()).digest()


def _shares(name: str, gold: Sequence[str], labels: Sequence[str]) -> list[float] | None:
    """Shares of `labels`, which are in the order of their frequency."""
    if len(labels) < 2:
        return None
    if name in MOSTLY:
        counts = [list(gold).count(label) for label in labels[1:]]
        return [MOSTLY[name], *((1 - MOSTLY[name]) * count / sum(counts) for count in counts)]
    if name == "steps":
        return [*STEPS, *(0.0 for _ in labels[len(STEPS) :])] if len(labels) >= len(STEPS) else None
    if len(labels) < ZIPF_LABELS:
        return None
    ranks = [1.0 / (place + 1) for place in range(len(labels))]
    return [rank / sum(ranks) for rank in ranks]


def _drawn(part: Part, labels: Sequence[str], shares: Sequence[float], most: int) -> Part:
    """The largest part, of at most `most` rows, in which labels have these shares, rounded; at least one row each."""
    gold = np.array(part.gold)
    rows = [np.flatnonzero(gold == label) for label in labels]
    bounds = [len(found) / share for found, share in zip(rows, shares, strict=True) if share > 0 and len(found)]
    # rare labels do not bound the pool as long as the frequent ones can have their share
    total = min(most, *(bound for bound, share in zip(bounds, shares, strict=False) if share >= max(shares) / 4))
    kept: list[int] = []
    for number, (found, share) in enumerate(zip(rows, shares, strict=True)):
        count = min(len(found), max(1, round(share * total))) if share > 0 else 0
        kept += np.random.default_rng([count, number]).choice(found, count, replace=False).tolist()
    order = np.random.default_rng(len(kept)).permutation(sorted(kept))
    return chosen_rows(part, order.tolist())
