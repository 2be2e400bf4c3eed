"""Labels of people that are doubted by who has not learned them: similar texts, and the teacher.

The score is confident learning's normalised margin (Northcutt, Jiang, Chuang, arXiv 1911.00068, and its library
cleanlab): (p of the label - largest other p + 1) / 2, with every p out of fold. A label never takes part in what is
said of it, nor does that of an equal or nearly equal text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from model.arrays import FloatArray, IntArray, Stop
from model.weak.chunks import Dense, softened
from model.weak.judges import Known
from model.weak.neighbours import Opinion
from model.weak.space import Space

FLOOR = 1e-3  # of a probability: nobody's certainty silences the others
EVEN = 1.0  # pseudo-answers with which a teacher's answers to a label's texts are counted: one for that label, and
RARE = 0.1  # so many for each
TEACHER = 0.5  # weight of the teacher's answer; chosen on trec and ag_news


@dataclass(frozen=True)
class Doubts:
    """Of k labelled rows: `margins` `(k,)`, 0 for the strongest doubt and 1 for none; `said` `(k,)`, the likeliest
    other label; and `accuracy`, the share of labels that those who have not learned them give, too."""

    margins: Dense
    said: IntArray
    accuracy: float


def doubts(vectors: FloatArray, known: Known, first: IntArray, num_labels: int, stop: Stop | None = None) -> Doubts:
    """How far others doubt each of the k known labels.

    `vectors` `(k, d)` are of an encoder that knows no label; `first` `(k,)` is the teacher's first label, -1 for none.
    """
    shares = out_of_fold(vectors, known, first, num_labels, stop)
    rows = np.arange(len(known))
    own, others = shares[rows, known.labels], shares.copy()
    others[rows, known.labels] = -1.0
    right = float((shares.argmax(1) == known.labels).mean()) if len(known) else 0.0
    return Doubts((own - others.max(1) + 1.0) / 2.0, others.argmax(1).astype(np.int64), right)


def level_doubts(
    vectors: FloatArray, known: Known, first: IntArray, num_labels: int, stop: Stop | None = None
) -> Doubts:
    """The same where labels are levels in order: one level off is nothing that others could tell. `margins` are the
    chance of a level that is at most one off, `said` the likeliest of the others, `accuracy` counts neighbours as
    right."""
    shares = out_of_fold(vectors, known, first, num_labels, stop)
    far = np.abs(np.arange(num_labels)[None, :] - known.labels[:, None]) > 1
    said = np.where(far, shares, -1.0).argmax(axis=1).astype(np.int64)
    right = float((np.abs(shares.argmax(axis=1) - known.labels) <= 1).mean()) if len(known) else 0.0
    return Doubts(1.0 - np.where(far, shares, 0.0).sum(axis=1), said, right)


def out_of_fold(vectors: FloatArray, known: Known, first: IntArray, num_labels: int, stop: Stop | None = None) -> Dense:
    """Probabilities `(k, C)` of each known row's label, from the labels of all rows with other texts: those of a ridge
    regression on the vectors, times what the teacher's answer says. (Heads in its place doubt hardly better, and take
    the time of a training.)"""
    targets = np.eye(num_labels, dtype=np.float16)[known.labels]
    similar = Opinion(Space(vectors, stop), targets, known.groups).shares(slice(0, len(known)))
    said = by_teacher(known.labels, first, num_labels)
    return softened(np.log(np.maximum(similar, FLOOR)) + TEACHER * np.log(np.maximum(said, FLOOR)))


def by_teacher(labels: IntArray, first: IntArray, num_labels: int) -> Dense:
    """What the teacher's first answer says of each row's label `(k, C)`, by how often it gives that answer to texts of
    each label; the row itself is not counted. Even where it gave none."""
    counts = np.full((num_labels, num_labels), RARE) + EVEN * np.eye(num_labels)
    asked = np.flatnonzero(first >= 0)
    np.add.at(counts, (labels[asked], first[asked]), 1.0)
    totals = counts.sum(1)
    found: Dense = np.full((len(labels), num_labels), 1.0 / num_labels)
    shares = counts[:, first[asked]].T / totals
    own = labels[asked]
    shares[np.arange(len(asked)), own] = (counts[own, first[asked]] - 1.0) / (totals[own] - 1.0)
    found[asked] = shares / shares.sum(1, keepdims=True)
    return found


@dataclass(frozen=True)
class Contradiction:
    """A row whose text has another decision elsewhere: the most frequent other one, and the rows that say it."""

    row: int
    said: Hashable
    by: tuple[int, ...]


def contradictions(groups: IntArray, decisions: Sequence[Hashable]) -> list[Contradiction]:
    """Rows of equal texts (one group) whose decision most of the others do not share; where two are as frequent, the
    rows of both."""
    members: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(groups.tolist()):
        members[group].append(row)
    found = []
    for rows in members.values():
        counts = Counter(decisions[row] for row in rows)
        if len(counts) < 2:
            continue
        most = counts.most_common(2)
        for row in rows:
            other = most[0] if most[0][0] != decisions[row] else most[1]
            if counts[decisions[row]] <= other[1]:
                by = tuple(one for one in rows if decisions[one] == other[0])
                found.append(Contradiction(row, other[0], by))
    return sorted(found, key=lambda one: one.row)
