"""The loop of the committee on stored answers: vote, review, train in stages, weigh by human labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.committee_tasks import Project, Tasks
from benchmarks.sampling_run import readable
from benchmarks.sampling_splits import Embed
from benchmarks.sampling_student import fit
from model.acquisition.base import ClassMeans, LabelSimilarity, softmax
from model.acquisition.uncertainty import margins
from model.arrays import BoolArray, FloatArray, IntArray
from model.committee import Confusion, Gate, KOfN, Pooling, balanced_draw, expected_gain, judge, tally
from model.committee.gate import HoldOut
from model.committee.pooling import member_evidence
from model.committee.words import fitted_layer, vectorizer

FOLDS = 3
SURE = 0.8  # probability at which the product lets the votes decide
FIRST = 0.04  # share of the pool that is reviewed at random before there is a committee

Predict = Callable[[bool], FloatArray]  # of the pool, or of the new tasks


@dataclass(frozen=True)
class Plan:
    """Settings of one run. `price` is the least gain in P(right) for which a call is made, `cap` the most calls as a
    share of the pool; `stages` is how often members are trained anew (the paper's beta in other words)."""

    members: tuple[str, ...] = ("head", "words", "names")
    existing: bool = True
    human: int = 100  # labels by people, at most a tenth of the pool
    price: float = 0.1
    cap: float = 0.29
    stages: int = 3
    order: str = "gain"  # or margin: which tasks are reviewed first
    replay: float = 0.0  # tasks that the committee is sure of and learns as they are, per reviewed task


@dataclass
class State:
    """What is known while the loop runs. Row numbers are those of the pool."""

    human: IntArray
    asked: BoolArray
    evidence: dict[str, FloatArray] = field(default_factory=dict)  # of the pool; asked rows are cross-fitted
    later: dict[str, FloatArray] = field(default_factory=dict)  # of the new tasks
    gates: list[str] = field(default_factory=list)


class Run:
    """One project, one seed, one plan."""

    def __init__(self, project: Project, embed: Embed, seed: int, plan: Plan) -> None:
        self.project, self.plan, self.seed = project, plan, seed
        self.labels = len(project.space)
        self.vectors, self.new_vectors = embed(project.pool.texts), embed(project.new.texts)
        counter = vectorizer(None).fit(project.pool.texts)  # once: fitting it is the dearest part of a run
        self.counts = counter.transform(project.pool.texts), counter.transform(project.new.texts)
        self.names = embed([readable(label.title) for label in project.space.labels])
        self.random = np.random.default_rng(seed)
        count = len(project.pool)
        order = self.random.permutation(count)
        human = order[: min(plan.human, count // 10)]
        self.state = State(human, np.isin(np.arange(count), order[: len(human) + round(FIRST * count)]))
        self.fold_of = self.random.integers(0, FOLDS, count)
        self.folds = self.fold_of[human]

    def run(self) -> None:
        """First members, then `stages` times: review what is worth it, train, keep what is not worse."""
        self.train(first=True)
        room = max(0, round(self.plan.cap * len(self.project.pool)) - int(self.state.asked.sum()))
        for stage in range(self.plan.stages):
            gain = np.where(self.state.asked, -1.0, self.gain(self.state.evidence))
            wanted = np.flatnonzero(gain > self.plan.price)
            share = -(-room // (self.plan.stages - stage))
            order = gain if self.plan.order == "gain" else self.doubt(self.state.evidence)
            chosen = wanted[np.argsort(-order[wanted], kind="stable")][:share]
            self.state.asked[chosen] = True
            room -= len(chosen)
            if len(chosen):
                self.train(first=False)

    def train(self, first: bool) -> None:
        """Train every member on what is known and keep it if it does no harm."""
        targets = self.targets()
        rows = np.flatnonzero(self.state.asked)
        if self.plan.replay and not first:
            rows = np.union1d(rows, self.replayed(targets))
        for name in self.plan.members:
            here, there = self.member(name, rows, targets)
            if first or self.harmless(name, here):
                self.state.evidence[name], self.state.later[name] = here, there
        if first and self.plan.existing:
            for name, answers in self.project.pool.existing.items():
                self.state.evidence[name] = self.cross_fitted(answers)
                confusion = self.confusion(answers)
                self.state.later[name] = confusion.evidence(self.project.new.existing[name])

    def replayed(self, targets: FloatArray) -> IntArray:
        """Tasks that the votes decide, balanced over labels; their label is written into the targets `(n, C)`."""
        pooling, names = self.pooling(reviewed=False)
        posterior = pooling.posterior([self.state.evidence[name] for name in names])
        sure = np.flatnonzero(~self.state.asked & (posterior.max(axis=1) >= SURE))
        labels = posterior.argmax(axis=1)
        count = round(self.plan.replay * int(self.state.asked.sum()))
        drawn = balanced_draw(sure.tolist(), [str(label) for label in labels[sure]], count, self.random)
        chosen: IntArray = np.array(drawn, np.int64)
        targets[chosen] = np.eye(self.labels, dtype=np.float32)[labels[chosen]]
        return chosen

    def targets(self) -> FloatArray:
        """What members learn: people's labels, and P(true label | everybody's answer) where the LLM was asked.

        Hard tasks are those where the LLM errs most, so that its answer alone (the first time) is not enough: members
        that did not see the task have their say.
        """
        confusion, gold = self.confusion(self.project.pool.answer), self.project.pool.gold[self.state.human]
        prior = np.bincount(gold, minlength=self.labels) + 1.0
        joint = np.exp(confusion.evidence(self.project.pool.answer)) * (prior / prior.sum())
        targets: FloatArray = (joint / joint.sum(axis=1, keepdims=True)).astype(np.float32)
        if self.state.evidence:
            pooling, names = self.pooling(reviewed=True)
            parts = [self.state.evidence[name] for name in names]
            targets = pooling.posterior([*parts, *self.llm(self.project.pool, True)])
        targets[self.state.human] = np.eye(self.labels, dtype=np.float32)[gold]
        return targets

    def member(self, name: str, rows: IntArray, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Evidence for the pool and for the new tasks; a task that a member learns is answered by one that did not."""
        predict = self.fitted(name, rows, targets)
        here = predict(False)
        for fold in range(FOLDS if name != "names" else 0):
            mine, kept = rows[self.fold_of[rows] == fold], rows[self.fold_of[rows] != fold]
            if len(mine):
                here[mine] = self.fitted(name, kept, targets)(False)[mine]
        return member_evidence(here), member_evidence(predict(True))

    def fitted(self, name: str, rows: IntArray, targets: FloatArray) -> Predict:
        """A member of some kind: a linear head, one on a bootstrap sample, words, label means, or label names."""
        if name == "words":
            weights, bias = fitted_layer(self.counts[0][rows], targets[rows])
            return lambda later: softmax(np.asarray(self.counts[later] @ weights + bias, np.float32))
        if name.startswith("bootstrap"):
            rows = np.random.default_rng([self.seed, len(name), len(rows)]).choice(rows, len(rows))
        student: Callable[[FloatArray], FloatArray]
        if name == "names":
            student = LabelSimilarity(self.names)
        elif name == "means":
            shares = targets[rows] + np.float32(1e-3)
            student = ClassMeans(shares.T @ self.vectors[rows] / shares.sum(axis=0)[:, None])
        else:
            student = fit(self.vectors[rows], targets[rows])
        return lambda later: student(self.new_vectors if later else self.vectors)

    def harmless(self, name: str, evidence: FloatArray) -> bool:
        """The gate, on people's labels (cross-fitted, so that all of them are held out)."""
        human = self.state.human
        known = HoldOut(self.project.pool.gold[human], np.ones(len(human), bool), np.zeros(len(human), bool))
        old, new = self.state.evidence[name][human].argmax(axis=1), evidence[human].argmax(axis=1)
        report = judge(old, new, known, 0.0, Gate(least_human=1))
        self.state.gates.append(report.reason)
        return report.promoted or report.reason == "no better"

    def confusion(self, answers: IntArray) -> Confusion:
        """How an answerer errs, by the human labels."""
        human = self.state.human
        return Confusion.fit(answers[human], self.project.pool.gold[human], self.labels)

    def cross_fitted(self, answers: IntArray) -> FloatArray:
        """Evidence of an answerer without probabilities; human rows by a confusion matrix that did not see them."""
        evidence = self.confusion(answers).evidence(answers)
        human, gold = self.state.human, self.project.pool.gold
        for fold in range(FOLDS):
            mine, others = human[self.folds == fold], human[self.folds != fold]
            if len(mine) and len(others):
                evidence[mine] = Confusion.fit(answers[others], gold[others], self.labels).evidence(answers[mine])
        return evidence

    def pooling(self, reviewed: bool, sources: int = 2) -> tuple[Pooling, list[str]]:
        """Weights of the members, with or without the first `sources` of the LLM."""
        names = list(self.state.evidence)
        human = self.state.human
        parts = [self.state.evidence[name][human] for name in names]
        if reviewed:
            parts += [part[human] for part in self.llm(self.project.pool, True)[:sources]]
        return Pooling.fit(parts, self.project.pool.gold[human]), names

    def llm(self, tasks: Tasks, cross: bool) -> list[FloatArray]:
        """The LLM as two sources: its first label through its confusion matrix, and its own confidences."""
        first = (
            self.cross_fitted(tasks.answer)
            if cross
            else self.confusion(self.project.pool.answer).evidence(tasks.answer)
        )
        return [first, np.log(np.maximum(tasks.said, 1e-3)).astype(np.float32)]

    def gain(self, evidence: dict[str, FloatArray]) -> FloatArray:
        """Worth of a review of each task."""
        pooling, names = self.pooling(reviewed=False)
        with_llm, _ = self.pooling(reviewed=True, sources=1)
        if self.benefit() <= 0:
            return np.zeros(len(next(iter(evidence.values()))), np.float32)
        posterior = pooling.posterior([evidence[name] for name in names])
        return expected_gain(posterior, self.confusion(self.project.pool.answer), float(with_llm.weights[len(names)]))

    def benefit(self) -> float:
        """How much more accurate the LLM makes the committee on people's tasks: no call is made if it does not."""
        human, gold = self.state.human, self.project.pool.gold[self.state.human]
        alone, names = self.pooling(reviewed=False)
        with_llm, _ = self.pooling(reviewed=True)
        parts = [self.state.evidence[name][human] for name in names]
        both = [*parts, *(part[human] for part in self.llm(self.project.pool, True))]
        before, after = alone.posterior(parts).argmax(axis=1), with_llm.posterior(both).argmax(axis=1)
        return float((after == gold).mean() - (before == gold).mean())

    def doubt(self, evidence: dict[str, FloatArray]) -> FloatArray:
        """One minus the margin of the members' pooled answer."""
        pooling, names = self.pooling(reviewed=False)
        return 1.0 - margins(pooling.posterior([evidence[name] for name in names]))

    def answers(self, later: bool) -> tuple[IntArray, BoolArray]:
        """Final labels and which tasks were reviewed; for new tasks the review is decided here, within the cap."""
        evidence = self.state.later if later else self.state.evidence
        tasks = self.project.new if later else self.project.pool
        asked = self.state.asked
        if later:
            gain = self.gain(evidence)
            most = np.argsort(-gain, kind="stable")[: round(self.plan.cap * len(tasks))]
            asked = (gain > self.plan.price) & np.isin(np.arange(len(tasks)), most)
        alone, names = self.pooling(reviewed=False)
        with_llm, _ = self.pooling(reviewed=True)
        parts = [evidence[name] for name in names]
        labels = alone.posterior(parts).argmax(axis=1)
        reviewed = with_llm.posterior([*parts, *self.llm(tasks, not later)]).argmax(axis=1)
        decided: IntArray = np.where(asked, reviewed, labels)
        return decided, asked

    def rivals(self, later: bool) -> dict[str, tuple[IntArray, float]]:
        """Other methods with the same members: labels and share of calls."""
        evidence = self.state.later if later else self.state.evidence
        tasks = self.project.new if later else self.project.pool
        names = [*self.plan.members, *(tasks.existing if self.plan.existing else ())]
        found = {name: (self.alone(name, evidence, tasks), 0.0) for name in names}
        probabilities = np.stack([np.eye(self.labels, dtype=np.float32)[found[name][0]] for name in names])
        votes = tally(probabilities)
        asked = np.zeros(len(tasks), bool) if later else self.state.asked
        spent = float(asked.mean())
        human, gold = self.state.human, self.project.pool.gold[self.state.human]
        skill = [float((self.state.evidence[name][human].argmax(axis=1) == gold).mean()) for name in names]
        three = np.argsort(skill)[::-1][:3]
        accepted = KOfN(len(three), len(three)).accepted(tally(probabilities[three]))
        published = np.where(accepted >= 0, accepted, np.maximum(tasks.answer, 0))
        rivals = {f"member:{name}": (labels, spent) for name, (labels, _) in found.items()}
        rivals["majority"] = (np.maximum(votes.top, 0), spent)
        rivals["published"] = (published, float((asked | (accepted < 0)).mean()))
        rivals["llm"] = (tasks.answer, 1.0)
        return rivals

    def alone(self, name: str, evidence: dict[str, FloatArray], tasks: Tasks) -> IntArray:
        """A member's own labels; an existing model's are as it gave them."""
        if name in tasks.existing:
            return np.maximum(tasks.existing[name], 0)
        labels: IntArray = evidence[name].argmax(axis=1)
        return labels
