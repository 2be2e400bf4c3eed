"""The committee as the product trains and serves it, on stored answers: its own training, ruling, replay and gate."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backend.pool.candidates import Reply, Stored
from backend.pool.set_aside import HELD_OUT_SHARE
from backend.serving.ruling import Votes, accepted, decisions
from backend.training.committee import Agreed, replay
from benchmarks.committee.tasks import Project, Tasks
from model.acquisition.pool import Pool, TextVectors, distinct
from model.acquisition.rules import rule
from model.acquisition.selection import select
from model.arrays import BoolArray, Embed, FloatArray, IntArray
from model.committee.committee import Committee
from model.committee.members.member import Member
from model.committee.members.sklearn_pipeline import PipelineMember
from model.committee.roster import Roster
from model.committee.seats import Encoders, Seats, loaded
from model.committee.training import train_committee, without_harm
from model.committee.voting import tally
from model.errors import NotEnoughDataError
from model.labels import CandidateSet, HumanLabel, LabelSpace
from model.training.data import TrainingData, training_data
from model.training.options import TrainingOptions

FIRST = 200  # tasks that the teacher is asked before there is a committee, at most a tenth of the pool
SPREAD = 0.7  # probability of a stored answer's label: the models gave no probabilities


@dataclass(frozen=True)
class Plan:
    """Settings of the product. `cap` is the budget: calls as a share of the tasks; `stage` is STAGE_AFTER as a share of
    the pool, because the pools are small."""

    members: tuple[str, ...] = ("student", "words", "names")
    existing: bool = True
    human: int = 100  # labels by people, at most a tenth of the pool
    cap: float = 0.26
    stage: float = 0.08
    replay: float = 0.5
    voting: str = "weighted"
    older: int = 0  # texts that a classifier of others has learned from, which then has a seat; 0: there is none


class StoredMember:
    """An existing model whose answers are stored; it knows no other texts."""

    trainable = False

    def __init__(self, name: str, space: LabelSpace, answers: dict[str, int]) -> None:
        self.name, self.space, self._answers = name, space, answers

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """SPREAD on the stored label, the rest on all others; zeros where it has none."""
        found = np.zeros((len(texts), len(self.space)), np.float32)
        for row, text in enumerate(texts):
            label = self._answers[text]
            if label >= 0:
                found[row] = (1 - SPREAD) / (len(self.space) - 1)
                found[row, label] = SPREAD
        return found

    def save(self, folder: Path) -> None:
        """A benchmark stores nothing."""
        raise NotImplementedError


@dataclass
class Served:
    """One project, one seed, one plan. The seed says which tasks people label, and which the teacher is asked first."""

    project: Project
    embed: Embed
    seed: int
    plan: Plan
    encoders: Encoders = loaded  # of members that have another one
    asked: BoolArray = field(init=False)
    human: IntArray = field(init=False)
    committee: Committee = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.project.pool)
        order = np.random.default_rng(self.seed).permutation(count)
        self.human = order[: min(self.plan.human, count // 10)]
        first = order[: len(self.human) + min(FIRST, count // 10)]
        self.asked = np.isin(np.arange(count), first)
        self.guests: list[Member] = []
        for name in self.project.pool.existing if self.plan.existing else ():
            known = {
                text: int(label)
                for part in (self.project.pool, self.project.new)
                for text, label in zip(part.texts, part.existing[name], strict=True)
            }
            self.guests.append(StoredMember(name, self.project.space, known))
        if self.plan.older:
            self.guests.append(older_classifier(self.project, self.plan.older, self.seed))

    def run(self) -> None:
        """A first committee, then stages: review what is open, train anew, until the budget or the open tasks end."""
        old = self.train(None)
        self.committee = old
        count = len(self.project.pool)
        room = round(self.plan.cap * count) - int(self.asked.sum())
        while room > 0:
            open_rows = np.flatnonzero(~self.asked & (self.decided(self.project.pool, self.asked)[1] < 0))
            wanted = min(room, max(1, round(self.plan.stage * count)))
            chosen = self.order(open_rows)[:wanted]
            if not len(chosen):
                break
            self.asked[chosen] = True
            room -= len(chosen)
            self.committee = self.train(self.committee)

    def order(self, rows: IntArray) -> IntArray:
        """Open tasks in the order of the product's default rule."""
        texts = self.project.pool.texts
        pool = Pool(len(texts), lambda some: self.committee.probabilities([texts[row] for row in some], self.embed),
                    embeddings=TextVectors(texts, self.embed))  # fmt: skip
        chosen: IntArray = select(pool, rule("margin-clusters"), len(rows), distinct(texts, rows), self.seed).rows
        return chosen

    def train(self, old: Committee | None) -> Committee:
        """The product's training, with replay and gate."""
        pool, space = self.project.pool, self.project.space
        held = self.held_out()
        data = self.data(set(held.tolist()))
        agreed = Agreed()
        if old is not None:
            labels, _, settled = self.decided(pool, self.asked)
            rows = np.flatnonzero(~self.asked & settled)
            texts = {int(row): pool.texts[row] for row in rows}
            agreed = Agreed(texts, {int(row): space.names[labels[row]] for row in rows})
            data = replay(data, old, agreed, self.plan.replay)
        options = TrainingOptions(way="head", seed=self.seed)
        seats = Seats(space, Roster(self.plan.members), options, self.embed, lambda: False, self.encoders)
        new, _ = train_committee(data, seats, lambda share, text: None, self.guests)
        if old is None:
            return new
        people = [(pool.texts[row], space.names[pool.gold[row]]) for row in held]
        return without_harm(old, new, agreed.held(space, people))[0]

    def held_out(self) -> IntArray:
        """People's labels that only judge: the product's share of them."""
        draw = [hashlib.sha256(f"{self.seed} {row}".encode()).digest() for row in self.human.tolist()]
        chosen = np.array([int.from_bytes(one[:8], "big") < HELD_OUT_SHARE * 2**64 for one in draw], bool)
        held: IntArray = self.human[chosen]
        return held

    def data(self, held: set[int]) -> TrainingData:
        """What the product would know: answers of the teacher, labels of people that do not judge."""
        pool, names = self.project.pool, self.project.space.names
        rows = [int(row) for row in np.flatnonzero(self.asked)]
        people = {int(row) for row in self.human} - held
        sets = [candidates(pool, row, names) for row in rows]
        labels = [HumanLabel((names[pool.gold[row]],)) if row in people else None for row in rows]
        if not any(sets) and not people:
            raise NotEnoughDataError("neither teacher nor people said anything")
        return training_data(self.project.space, [pool.texts[row] for row in rows], sets, labels)

    def decided(self, tasks: Tasks, asked: BoolArray) -> tuple[IntArray, IntArray, BoolArray]:
        """Served label numbers `(n,)`, what the votes alone accept `(n,)` (-1: open), and whether it is not left to
        people."""
        names = self.project.space.names
        members = self.committee.all_probabilities(tasks.texts)
        said = [
            Stored("", Reply("answered", found)) if asked[row] and (found := candidates(tasks, row, names)) else None
            for row in range(len(tasks))
        ]
        votes = Votes(members, tally(members), self.committee.pooled(members), said)
        sure = accepted(self.plan.voting, self.committee, votes)
        ruled = decisions(self.plan.voting, self.committee, votes, sure)
        labels = votes.pooled.argmax(axis=1)
        settled = np.zeros(len(tasks), bool)
        for place, one in ruled.items():
            if one.ruling.label is not None:
                labels[place], settled[place] = self.project.space.index(one.ruling.label), True
        return labels, sure, settled

    def answers(self, later: bool) -> tuple[IntArray, BoolArray]:
        """Final labels and which tasks were reviewed; of new tasks the open ones are, within the budget."""
        if not later:
            return self.decided(self.project.pool, self.asked)[0], self.asked
        tasks = self.project.new
        nobody = np.zeros(len(tasks), bool)
        sure = self.decided(tasks, nobody)[1]
        pooled = self.committee.probabilities(tasks.texts, self.embed)
        doubtful = np.argsort(pooled.max(axis=1), kind="stable")
        asked = np.isin(
            np.arange(len(tasks)), [row for row in doubtful if sure[row] < 0][: round(self.plan.cap * len(tasks))]
        )
        return self.decided(tasks, asked)[0], asked


def older_classifier(project: Project, texts: int, seed: int) -> PipelineMember:
    """A scikit-learn pipeline that somebody trained on other texts of the same kind, stored and read as a skops file.

    ValueError if the set has no such texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from skops.io import dump

    if len(project.others) < texts:
        raise ValueError(f"{project.name} has no {texts} texts beside the tasks")
    rows = np.random.default_rng(seed).choice(len(project.others), texts, replace=False)
    known, labels = zip(*(project.others[row] for row in rows), strict=True)
    steps = [("counts", TfidfVectorizer(ngram_range=(1, 2))), ("linear", LogisticRegression(max_iter=1000))]
    with tempfile.TemporaryDirectory(prefix="older-") as folder:
        place = Path(folder) / "older.skops"
        dump(Pipeline(steps).fit(known, labels), place)
        return PipelineMember("older", project.space, str(place), {label: label for label in set(labels)})


def candidates(tasks: Tasks, row: int, names: Sequence[str]) -> CandidateSet | None:
    """The LLM's stored set, its single answer first."""
    first = int(tasks.answer[row])
    if first < 0:
        return None
    rest = [int(label) for label in np.argsort(-tasks.said[row]) if label != first and tasks.said[row, label] > 0]
    return CandidateSet(tuple(names[label] for label in [first, *rest]))
