"""Rivals of the student on the same vectors: none of them is the product's code, apart from the shape of the head."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.shared.datasets import said_by
from model.arrays import FloatArray, IntArray, softmax
from model.labels import CandidateSet, LabelSpace
from model.student.head import head_logits
from model.train import head_plan
from model.training.head_training import HeadLearner
from model.training.loop import train
from model.training.options import TrainingOptions
from model.training.targets import SoftTargets

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # inverse strengths of the penalty
FOLDS = 3
ROUNDS = 50  # of Dawid-Skene's EM
SMOOTHING = 1.0  # pseudo-counts of a voter's row


class Logistic:
    """Multinomial logistic regression; its strength has the least log loss out of fold on the labels it gets."""

    def __init__(self, vectors: FloatArray, labels: IntArray, space: LabelSpace, seed: int) -> None:
        self._count, self._only = len(space), int(labels[0])
        self._fitted: LogisticRegression | None = None
        if len(np.unique(labels)) > 1:
            self.strength = _best_strength(vectors, labels, seed)
            self._fitted = _fit(vectors, labels, self.strength)

    def probabilities(self, vectors: FloatArray) -> FloatArray:
        """`(n, C)`; labels that it was not given have 0."""
        found = np.zeros((len(vectors), self._count), np.float32)
        if self._fitted is None:
            found[:, self._only] = 1.0
        elif len(vectors):
            found[:, self._fitted.classes_] = self._fitted.predict_proba(vectors)
        return found


def _fit(vectors: FloatArray, labels: IntArray, strength: float) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():  # fifty labels of people on 77 classes are many classes, and meant so
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return LogisticRegression(C=strength, max_iter=2000, tol=1e-3).fit(vectors, labels)


def _best_strength(vectors: FloatArray, labels: IntArray, seed: int) -> float:
    """The strength whose answers to folds that it has not seen are likeliest; 1 where labels are too few for folds."""
    from sklearn.model_selection import StratifiedKFold

    common = np.flatnonzero(np.bincount(labels)[labels] >= FOLDS)
    if len(np.unique(labels[common])) < 2:
        return 1.0
    known, said = vectors[common], labels[common]
    losses = dict.fromkeys(STRENGTHS, 0.0)
    for seen, held in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(known, said):
        for strength in STRENGTHS:
            fitted = _fit(known[seen], said[seen], strength)
            places = np.searchsorted(fitted.classes_, said[held])
            likely = fitted.predict_proba(known[held])[np.arange(len(held)), places]
            losses[strength] -= float(np.log(likely + 1e-9).sum())
    return min(losses, key=lambda strength: losses[strength])


class SoftHead:
    """The product's head on the teacher's distribution of every row: plain soft-label distillation."""

    def __init__(self, vectors: FloatArray, said: FloatArray, options: TrainingOptions) -> None:
        plan = head_plan(len(vectors), options)
        steps = plan.epochs * math.ceil(len(vectors) / plan.batch)
        learner = HeadLearner(vectors, said.shape[1], options, steps, plan.seeds)
        targets = SoftTargets(torch.from_numpy(said.astype(np.float16)), torch.ones(len(vectors)))
        train(learner, targets, plan, None, None)
        (self._head,) = learner.weights()

    def probabilities(self, vectors: FloatArray) -> FloatArray:
        """`(n, C)`."""
        return softmax(head_logits(self._head, vectors)).astype(np.float32)


def commonest(labels: IntArray) -> int:
    """The label that most rows have; the first of several."""
    return int(np.bincount(labels).argmax())


def dawid_skene(votes: Sequence[Sequence[int]], count: int) -> FloatArray:
    """Posteriors `(n, count)` of n tasks by the votes of k voters (-1: none); Dawid and Skene, 1979, by EM.

    Starts from the shares of votes; every voter's confusion matrix and the frequency of labels get SMOOTHING.
    """
    said = np.array(votes)
    hot = (said[:, :, None] == np.arange(count)).astype(np.float64)
    truth = hot.sum(1) + 1e-9
    truth /= truth.sum(1, keepdims=True)
    for _ in range(ROUNDS):
        prior = np.log(truth.sum(0) + SMOOTHING)
        confusion = np.einsum("nt,nks->kts", truth, hot) + SMOOTHING / count
        confusion /= confusion.sum(2, keepdims=True)
        before, truth = truth, softmax(prior + np.einsum("nks,kts->nt", hot, np.log(confusion)))
        if np.abs(truth - before).max() < 1e-4:
            break
    return np.asarray(truth, np.float32)


def teacher_shares(answers: Sequence[CandidateSet | None], space: LabelSpace) -> FloatArray:
    """What a teacher said as distributions `(n, C)`: confidences, or with the order alone half for the first."""
    return np.stack([said_by(one, space) for one in answers if one is not None])
