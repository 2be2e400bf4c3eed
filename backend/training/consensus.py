"""Labels of tasks that several people decided: their consensus, in place of the plain majority."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from backend.pool.annotations import human_labels
from backend.pool.votes import shared_votes
from backend.projects.current import Current
from model.labels import HumanLabel, LabelSpace

LEAST = 20  # tasks that people share, below which nobody knows how reliable they are: the plain majority stands
SURE = 0.7  # probability from which on the consensus is a decision


def judged(current: Current) -> dict[int, HumanLabel]:
    """What people decided, the audit of a promise included, with the consensus where several did."""
    labels = human_labels(current.engine, current.number)
    return with_consensus(current.engine, current.number, current.space, labels)


def with_consensus(
    engine: sa.Engine, project: int, space: LabelSpace, labels: Mapping[int, HumanLabel]
) -> dict[int, HumanLabel]:
    """The labels to learn from: those of tasks with one voice as they are."""
    return {**labels, **consensus(votes_on(engine, project, space, labels), space)}


def votes_on(engine: sa.Engine, project: int, space: LabelSpace, labels: Collection[int]) -> dict[int, dict[int, str]]:
    """What each of several people said of those of the tasks that they share; {} where these are too few to tell."""
    if space.several:
        return {}
    votes = {
        task: said
        for task, said in shared_votes(engine, project).items()
        if task in labels and all(label in space for label in said.values())
    }
    return votes if len(votes) >= LEAST else {}


def consensus(votes: Mapping[int, Mapping[int, str]], space: LabelSpace) -> dict[int, HumanLabel]:
    """The label of every task of which the votes, each counted by how reliable its person is, are sure."""
    if not votes:
        return {}
    import numpy as np

    from model.weak.consensus import NONE, dawid_skene

    people = sorted({who for said in votes.values() for who in said})
    place = {who: column for column, who in enumerate(people)}
    table = np.full((len(votes), len(people)), NONE, np.int64)
    for row, said in enumerate(votes.values()):
        for who, label in said.items():
            table[row, place[who]] = space.index(label)
    beliefs = dawid_skene(table, len(space))
    found = {}
    for (task, said), shares in zip(votes.items(), beliefs, strict=True):
        label = space.names[int(shares.argmax())]
        if shares.max() >= SURE and label in said.values():  # what nobody said is no consensus
            found[task] = HumanLabel((label,))
    return found
