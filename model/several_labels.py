"""A student whose answer is a set of labels: of one question of which several may be right, or of several questions.

Texts are embedded once and heads have an output for every label; what is believed, the loss and the decision are each
question's own. Every head learns without a fifth of the rows. Together they answer; alone each judges the rows that it
has not seen, so that thresholds are chosen on answers that nobody copied. On small pools with questions of one right
label a linear head answers beside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import structlog
import torch

from model.arrays import BoolArray, FloatArray, IntArray, Progress, Stop
from model.decoding import ENOUGH, FOLDS, NEVER, Thresholds, as_many, by_people
from model.errors import NotEnoughDataError
from model.labels import LabelSpace
from model.pair_views import PairView
from model.pool_beliefs import PoolBeliefs
from model.student.head import HeadStudent, head_logits, shares_of
from model.text_groups import folds, text_groups
from model.training.data import TrainingData
from model.training.group_data import GroupData, group_data
from model.training.group_targets import GroupTargets
from model.training.head_training import HeadLearner
from model.training.linear_head import averaged
from model.training.linear_questions import linear_questions
from model.training.loop import Plan, train
from model.training.small_pools import may_start_linear
from model.weak.beliefs import Beliefs, beliefs
from model.weak.chunks import Shares
from model.weak.independent import LabelBeliefs, label_beliefs

if TYPE_CHECKING:
    from model.training.options import TrainingOptions, TrainingReport

log = structlog.get_logger(__name__)

METHOD = "shortlist"  # the only one for sets of labels: the published ones are for one label
SEED = 7919  # distance between the seeds of the heads
SAMPLE = 10.0  # people's answers whose number of labels counts as much as what is believed


@dataclass(frozen=True)
class Believed:
    """What is believed of every question: `shares` float16 `(n, C)`, `known` bool `(n, G)`, `limits` `(C,)` from which
    on a label is believed where several may be right, what was `found` of each; `groups` are those that can be learned,
    None for the others, of which nothing is known."""

    groups: tuple[GroupData | None, ...]
    shares: Shares
    known: BoolArray
    limits: FloatArray
    found: dict[str, object]


def train_several(
    space: LabelSpace,
    data: TrainingData,
    options: TrainingOptions,
    report: TrainingReport,
    plan: Plan,
    vectors: FloatArray,
    progress: Progress | None = None,
    stop: Stop | None = None,
    view: PairView | None = None,
) -> HeadStudent:
    """Heads on vectors `(n, d)` of the data's rows, with thresholds; `report` says what was found, `view` what the
    vectors are of tasks of two texts.

    A question that knows too little is left to the teacher; NotEnoughDataError where all do.
    """
    believed = weighed(space, data, vectors, options, stop)
    rows = {text: row for row, text in enumerate(data.texts)}
    report.believed = PoolBeliefs(space, rows, believed.shares, believed.known, believed.limits)
    log.info("weighed_beliefs", rows=len(data), human=report.human_rows)
    fold_of = folds(text_groups(data.texts, None, options.pair), FOLDS, options.seed)
    seeds = tuple(options.seed + SEED * fold for fold in range(FOLDS))
    parts = tuple(torch.from_numpy(np.flatnonzero(fold_of != fold)) for fold in range(FOLDS))
    steps = plan.epochs * math.ceil(min(map(len, parts)) / plan.batch)
    learner = HeadLearner(vectors, len(space), options, steps, seeds)
    known = torch.from_numpy(believed.known) if space.questions else None
    targets = GroupTargets(torch.from_numpy(believed.shares), space.groups, known)
    report.loss = train(learner, targets, Plan(plan.epochs, plan.batch, seeds, parts), progress, stop)
    report.epochs = plan.epochs
    heads = learner.weights()
    limits, rules = _limits(space, believed, _unseen(space, heads, vectors, fold_of), options.seed)
    report.found.update({**believed.found, "thresholds": rules})
    if view is None and may_start_linear(len(data), options) and all(group.kind == "one" for group in space.groups):
        asked = [(part.group, part.rows) for part in believed.groups if part is not None]
        linear, report.found["linear_strengths"] = linear_questions(vectors, believed.shares, asked, fold_of, stop)
        heads = [averaged(heads), linear]
    if options.method != METHOD:
        report.warnings.append(f"an answer is a set of labels: trained by {METHOD!r}, not by {options.method!r}")
    return HeadStudent(space, options.encoder, heads, runtime=options.runtime, thresholds=limits, view=view)


def weighed(
    space: LabelSpace, data: TrainingData, vectors: FloatArray, options: TrainingOptions, stop: Stop | None = None
) -> Believed:
    """What is believed of each label, question by question: as of one right label, or as of several."""
    parts = group_data(space, data)
    groups = _learned(space, parts)
    if not any(groups):
        raise NotEnoughDataError("no question has two tasks and labels to learn from yet")
    shares = np.zeros((len(data), len(space)), np.float16)
    known = np.zeros((len(data), len(parts)), np.bool_)
    limits = np.full(len(space), 0.5, np.float32)
    found: dict[str, object] = {}
    for place, part in enumerate(groups):
        if part is None:
            continue
        inputs = vectors if len(part.rows) == len(vectors) else vectors[part.rows]
        one: LabelBeliefs | Beliefs
        if part.group.kind == "any":
            one = label_beliefs(part.data, inputs, stop)
            limits[part.group.columns] = one.evidence.limits
        else:
            one = beliefs(part.data, inputs, options, stop)
        shares[part.rows, part.group.columns] = one.shares
        known[part.rows, place] = True
        found = one.to_json() if not space.questions else {**found, part.group.name: one.to_json()}
    return Believed(groups, shares, known, limits, found)


def _learned(space: LabelSpace, parts: Sequence[GroupData]) -> tuple[GroupData | None, ...]:
    """Those that can be learned: enough is known of them, and of the questions on which they depend."""
    left: set[int] = set()
    for part in parts:
        above = {space.group_of[label].start for one in part.group.when for label in one.labels}
        if not part.enough or above & left:
            left.add(part.group.start)
    return tuple(None if part.group.start in left else part for part in parts)


def _limits(space: LabelSpace, believed: Believed, unseen: FloatArray, seed: int) -> tuple[FloatArray, object]:
    """Thresholds `(C,)` of all questions, and how they were chosen."""
    limits, rules = np.full(len(space), NEVER, np.float32), dict[str, str]()
    for group, part in zip(space.groups, believed.groups, strict=True):
        if part is None:
            rules[group.name] = "left to the teacher: too little is known"
        elif group.kind != "any":
            limits[group.columns], rules[group.name] = 0.5, "the likeliest" if group.kind == "one" else "the median"
        else:
            own = believed.shares[part.rows, group.columns].astype(np.float32)
            chosen = thresholds(part.data, own, unseen[part.rows, group.columns], seed)
            limits[group.columns], rules[group.name] = chosen.values, chosen.rule
    return limits, rules if space.questions else rules[""]


def thresholds(data: TrainingData, believed: FloatArray, unseen: FloatArray, seed: int = 0) -> Thresholds:
    """Where to tick, for `unseen` `(n, C)`, the answers of heads to rows that they have not learned from.

    By people's answers where there are enough of them, else as many labels as these and what is believed of the others
    have on average.
    """
    decided = data.decided
    truth = data.candidates[decided]
    if len(truth) >= ENOUGH and truth.any():
        return by_people(unseen[decided], truth, seed)
    rest = believed[~decided]
    weights = float(len(truth)), SAMPLE if len(rest) else 0.0
    means = float(truth.sum(1).mean()) if len(truth) else 0.0, float(rest.sum(1).mean()) if len(rest) else 0.0
    mean = sum(weight * value for weight, value in zip(weights, means, strict=True)) / max(sum(weights), 1.0)
    return as_many(unseen, mean)


def _unseen(
    space: LabelSpace, heads: Sequence[dict[str, FloatArray]], vectors: FloatArray, fold_of: IntArray
) -> FloatArray:
    """The probabilities of each row `(n, C)` by the head that has not learned from it."""
    found = np.zeros((len(vectors), len(space)), np.float32)
    for fold, head in enumerate(heads):
        rows = np.flatnonzero(fold_of == fold)
        found[rows] = shares_of(space, head_logits(head, np.asarray(vectors[rows], np.float32)))
    return found
