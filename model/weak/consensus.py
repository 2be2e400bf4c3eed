"""What several people who labelled the same tasks mean together, each counted by how reliable they are.

Dawid and Skene, Applied Statistics 28 (1979): every person has a confusion matrix, which the tasks that they share with
others tell. Rows are smoothed with one answer for each label and two more for the right one.
"""

from __future__ import annotations

import numpy as np

from model.arrays import IntArray
from model.weak.chunks import Dense, softened

ROUNDS = 50
NONE = -1  # in votes: this person did not label this task


def vote_shares(votes: IntArray, num_labels: int) -> Dense:
    """Shares of the votes `(n, C)` of each task; `votes` `(n, m)` of m people, NONE where one gave none."""
    counts = np.stack([(votes == label).sum(axis=1) for label in range(num_labels)], axis=1).astype(np.float64)
    shares: Dense = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return shares


def confusions(votes: IntArray, beliefs: Dense) -> Dense:
    """How often each person gives each label to tasks of each label `(m, C, C)`, by what is believed of the tasks."""
    people, labels = votes.shape[1], beliefs.shape[1]
    counts = np.ones((people, labels, labels)) + 2.0 * np.eye(labels)
    for person in range(people):
        seen = np.flatnonzero(votes[:, person] != NONE)
        np.add.at(counts[person].T, votes[seen, person], beliefs[seen])
    shares: Dense = counts / counts.sum(axis=2, keepdims=True)
    return shares


def dawid_skene(votes: IntArray, num_labels: int, rounds: int = ROUNDS) -> Dense:
    """The probability of each label of each task `(n, C)`, given everybody's `votes` `(n, m)`."""
    beliefs = vote_shares(votes, num_labels)
    for _ in range(rounds):
        logs = np.tile(np.log(np.maximum(beliefs.mean(axis=0), 1e-12)), (len(votes), 1))
        tables = np.log(confusions(votes, beliefs))
        for person in range(votes.shape[1]):
            seen = np.flatnonzero(votes[:, person] != NONE)
            logs[seen] += tables[person][:, votes[seen, person]].T
        beliefs = softened(logs)
    return beliefs
