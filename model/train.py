"""The one entrance to training: data and options in, a student and a report out."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import structlog
import torch
from torch import Tensor

from model.arrays import BoolArray, Embed, FloatArray, Progress, Stop
from model.errors import NotEnoughDataError
from model.labels import LabelSpace
from model.pair_views import PairView
from model.several_labels import train_several
from model.student.adapted import AdaptedEncoder, AdaptedStudent
from model.student.head import HeadStudent
from model.student.student import Student
from model.text_groups import text_groups
from model.training.data import TrainingData, training_data
from model.training.freeal import FreealTargets
from model.training.head_training import HeadLearner, batch_rows
from model.training.linear_head import Head
from model.training.loop import Plan, train
from model.training.options import ADAPTED, PUBLISHED, TrainingOptions, TrainingReport
from model.training.refinery import Gate
from model.training.small_pools import MEMBERS, SmallPool, may_start_linear, member_seeds, starts_linear
from model.training.targets import FixedTargets, RefineryTargets, SoftTargets, Targets, UniformTargets
from model.training.vectors import row_vectors
from model.training.warm import fitting, shortened
from model.weak.beliefs import beliefs
from model.weak.own_heads import Adapted
from model.weak.ranking_weight import ranking_view
from model.weak.unlabelled import with_own_answers, with_part
from model.weak.views import chosen_view

__all__ = ["TrainingData", "TrainingOptions", "TrainingReport", "train_student", "training_data"]

log = structlog.get_logger(__name__)

Teach: TypeAlias = Callable[["Training", FloatArray], Student]

LEAST_ROWS = 2
MOST_ROWS = 20_000  # rows up to which a head gets all its epochs
WARM_UP = 3  # epochs on equation 1 alone, as published ("a few"; FreeAL's code: three)
MEDIUM = 4_000  # rows below which several networks answer together


@dataclasses.dataclass(frozen=True)
class Training:
    """One training: what it learns from and how, and whom it tells."""

    space: LabelSpace
    data: TrainingData
    options: TrainingOptions
    report: TrainingReport
    progress: Progress | None
    stop: Stop | None
    view: PairView | None = None  # what the student sees of tasks of two texts
    start: HeadStudent | None = None  # an earlier student

    def seen(self, embed: Embed) -> Embed:
        """What the student sees of texts by an encoder."""
        return embed if self.view is None else self.view.embed(embed)

    def parted(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Of what the student sees `(n, k)` what it answers by, and by what tasks are told apart if not by that."""
        return (vectors, None) if self.view is None else self.view.parted(vectors)

    def part(self, low: float, high: float) -> Training:
        """The same, its progress being that share of the whole's."""
        return dataclasses.replace(self, progress=_scaled(self.progress, low, high))


def train_student(
    space: LabelSpace,
    data: TrainingData,
    options: TrainingOptions,
    embed: Embed,
    progress: Progress | None = None,
    stop: Stop | None = None,
    own: AdaptedEncoder | None = None,
    start: HeadStudent | None = None,
) -> tuple[Student, TrainingReport]:
    """Train a student on candidate sets and human labels; a head sees texts by its `own` encoder if there is one, and
    goes on from the head of `start` where it can.

    `progress(share, message)` is called often; after `stop()` answers True, TrainingStopped is raised within a batch.
    NotEnoughDataError with fewer than two rows or labels, TrainingError on a non-finite loss.
    """
    started = time.monotonic()
    torch.set_num_threads(options.threads)
    check(space, data)
    way = chosen_way(options)
    report = TrainingReport(options.method, way, len(data), int(data.human.sum()))
    view = None
    if way == "head" or space.several:
        view, report.pair = chosen_view(space, data, options, embed, stop)
        if view is not None:
            view, ranks = ranking_view(space, data, options, view, embed, stop, own if way == "head" else None)
            report.pair |= {"ranking": ranks} if ranks else {}
            view = view.with_key(not space.several and may_start_linear(len(data), options))
    if space.several:
        return _several(Training(space, data, options, report, progress, stop, view), embed, started)
    teach: Teach = train_head if way == "head" else train_encoder
    if own is not None and way == "head":
        teach, report.way = partial(train_adapted, own), ADAPTED
    data = with_part(data, dataclasses.replace(options, way=way))
    report.unlabelled_rows = len(data.unlabelled)
    needed = way == "head" or options.method == "shortlist"
    texts = [*data.texts, *data.unlabelled] if needed else []
    training = Training(space, data, options, report, progress, stop, view, start if own is None else None)
    with row_vectors(texts, training.seen(embed), _scaled(progress, 0.0, 0.3), stop) as vectors:
        student = teach(training.part(0.3, 1.0), vectors)
    report.settings = options.to_json()
    report.seconds = time.monotonic() - started
    log.info("student_trained", method=options.method, rows=len(data), seconds=round(report.seconds, 2))
    return student, report


def _several(training: Training, embed: Embed, started: float) -> tuple[Student, TrainingReport]:
    """Where an answer is a set of labels: heads on the frozen encoder, whatever the way."""
    space, data, options, report = training.space, training.data, training.options, training.report
    report.way = "head"
    seen = training.seen(embed)
    with row_vectors(data.texts, seen, _scaled(training.progress, 0.0, 0.3), training.stop) as vectors:
        plan, part = head_plan(len(data), options), training.part(0.3, 1.0)
        student = train_several(space, data, options, report, plan, vectors, part.progress, part.stop, part.view)
    report.settings = options.to_json()
    report.seconds = time.monotonic() - started
    log.info("student_trained", method=options.method, rows=len(data), seconds=round(report.seconds, 2))
    return student, report


def chosen_way(options: TrainingOptions) -> str:
    """`auto` trains a head, on a GPU too: what it is worth was measured, what fine-tuning on a GPU is was not."""
    return "head" if options.way == "auto" else options.way


def check(space: LabelSpace, data: TrainingData) -> None:
    """NotEnoughDataError unless there are at least two rows and two labels among their candidates."""
    if len(data) < LEAST_ROWS:
        raise NotEnoughDataError(f"{len(data)} tasks to learn from, at least {LEAST_ROWS} are needed")
    if data.candidates.shape[1] != len(space):
        raise ValueError(f"candidates have {data.candidates.shape[1]} columns, the label space {len(space)} labels")
    if space.several and not data.candidates.any():
        raise NotEnoughDataError("no task has a label; at least one is needed to learn")
    if not space.several and int(data.candidates.any(0).sum()) < 2:
        raise NotEnoughDataError("all tasks have the same single candidate; at least two labels are needed to learn")


def train_head(training: Training, vectors: FloatArray, adapted: Adapted | None = None) -> HeadStudent:
    """Heads on vectors `(n + m, d)` of the data's n rows and m unlabelled texts, or on those of an adapted encoder if
    it is worth it; `report.way` says so."""
    data, report = training.data, training.report
    rows, turns = len(data), 2 if data.unlabelled else 1
    report.epochs = head_plan(rows, training.options).epochs
    features, _ = training.parted(vectors)
    seen = None if adapted is None else dataclasses.replace(adapted, vectors=training.parted(adapted.vectors)[0])
    targets = make_targets(training, features[:rows], report.epochs, seen)
    if adapted is not None and not worth_it(report):
        adapted, report.way = None, "head"
    inputs = vectors if adapted is None else adapted.vectors
    student = _heads(training.part(0.0, 1.0 / turns), inputs[:rows], targets, None if adapted is None else adapted.seen)
    if data.unlabelled and isinstance(targets, SoftTargets):
        texts = [*data.texts, *data.unlabelled]
        pair = training.options.pair
        own = inputs if student.view == training.view else training.parted(inputs)[0]
        targets = with_own_answers(targets, student, own[rows:], features, training.stop, texts, pair)
        student = _heads(training.part(1.0 / turns, 1.0), inputs, targets)
    report.warnings += getattr(targets, "warnings", [])
    return student


def _heads(training: Training, vectors: FloatArray, targets: Targets, known: BoolArray | None = None) -> HeadStudent:
    """What the rows of `vectors` bear: a linear head, several networks or one. The encoder has learned `known` ones."""
    space, options, view = training.space, training.options, training.view
    features, keys = training.parted(vectors)
    if isinstance(targets, SoftTargets) and starts_linear(vectors if keys is None else keys, options):
        texts = [*training.data.texts, *training.data.unlabelled][: len(vectors)]
        plan, ordered = head_plan(len(vectors), options), space.answer == "ordered"
        pool = SmallPool(features, targets, plan, options, keys, training.progress, training.stop, ordered)
        heads, training.report.found["linear_head"] = pool.heads(text_groups(texts, None, options.pair), known)
        training.report.epochs = 0
    else:
        view = None if view is None else view.with_key(False)
        heads = _networks(dataclasses.replace(training, view=view), features, targets)
    return HeadStudent(space, options.encoder, heads, runtime=options.runtime, view=view)


def _networks(training: Training, vectors: FloatArray, targets: Targets) -> list[Head]:
    """As many as the rows of `vectors` bear, each with a seed of its own."""
    space, options = training.space, training.options
    plan, heads = head_plan(len(vectors), options), []
    start = None if training.data.unlabelled else fitting(training.start, space, options, vectors, training.view)
    if start is not None:
        plan, options = shortened(plan, options)
        training.report.epochs, training.report.went_on = plan.epochs, True
    steps = plan.epochs * math.ceil(len(vectors) / plan.batch)
    members = number_of_heads(len(vectors), options)
    groups = together(member_seeds(options, members), targets)
    for number, seeds in enumerate(groups):
        learner = HeadLearner(vectors, len(space), options, steps, seeds, start)
        part = training.part(number / len(groups), (number + 1) / len(groups))
        plan = dataclasses.replace(plan, seeds=seeds)
        training.report.loss = train(learner, targets, plan, part.progress, part.stop)
        heads += learner.weights()
    return heads


def worth_it(report: TrainingReport) -> bool:
    """Whether the beliefs found an adapted encoder better than the unchanged one, or nothing to judge it by."""
    own = report.found.get("own_encoder")
    return not isinstance(own, dict) or bool(own["used"])


def train_adapted(own: AdaptedEncoder, training: Training, vectors: FloatArray) -> HeadStudent | AdaptedStudent:
    """Heads on the vectors of an adapted encoder if it is worth it; those of the unchanged one serve the beliefs."""
    data, encoding = training.data, training.part(0.0, 0.6)
    texts = [*data.texts, *data.unlabelled]
    with row_vectors(texts, training.seen(own.embed), encoding.progress, encoding.stop) as inputs:
        heads = train_head(training.part(0.6, 1.0), vectors, Adapted(inputs, own.knows(data.texts)))
    return AdaptedStudent(heads, own) if training.report.way == ADAPTED else heads


def train_encoder(training: Training, vectors: FloatArray) -> Student:
    """Fine-tune the whole encoder; `vectors` of the unchanged one serve the beliefs of the method shortlist."""
    from model.training.finetune import FinetuneLearner

    data, options, report = training.data, training.options, training.report
    epochs = options.epochs or (50 if torch.cuda.is_available() else 10)
    plan = Plan(epochs, options.batch or 32, (options.seed,))
    targets = make_targets(training, vectors, epochs)
    learner = FinetuneLearner(data.texts, len(training.space), options, epochs * math.ceil(len(data) / plan.batch))
    report.loss = train(learner, targets, plan, training.progress, training.stop)
    report.epochs = epochs
    report.warnings += getattr(targets, "warnings", [])
    return learner.student(training.space)


def number_of_heads(rows: int, options: TrainingOptions) -> int:
    """Networks that answer together: one for the published methods; three on small pools of ours, it costs seconds."""
    if options.heads is not None:
        return options.heads
    return MEMBERS if options.method == "shortlist" and rows < MEDIUM else 1


def together(seeds: Sequence[int], targets: Targets) -> list[tuple[int, ...]]:
    """Seeds of heads that are trained at once: all, unless the targets follow what one head has learnt."""
    return [(seed,) for seed in seeds] if targets.needs_snapshot else [tuple(seeds)]


def head_plan(rows: int, options: TrainingOptions) -> Plan:
    """40 epochs of batches of 128; small pools get smaller batches, large ones fewer epochs and larger batches."""
    epochs = options.epochs or max(4, min(40, round(40 * MOST_ROWS / max(1, rows))))
    return Plan(epochs, options.batch or batch_rows(rows), (options.seed,))


def make_targets(training: Training, vectors: FloatArray, epochs: int, adapted: Adapted | None = None) -> Targets:
    """The targets of a method."""
    data, options, report = training.data, training.options, training.report
    if options.method == "shortlist":
        log.info("weighing_beliefs", rows=len(data), human=report.human_rows)
        found = beliefs(data, vectors, options, training.stop, adapted)
        report.found.update(found.to_json())
        return SoftTargets(torch.from_numpy(found.shares), torch.ones(len(data)))
    sets, human = torch.from_numpy(data.candidates), torch.from_numpy(data.human)
    if options.method in ("distillation", "gold"):
        return FixedTargets(first_labels(data), sets.shape[1])
    if options.method == "uniform":
        return UniformTargets(sets)
    if options.method == "freeal":
        return FreealTargets(first_labels(data), human, sets.shape[1], warm_up=max(3, round(0.1 * epochs)))
    published = options.method == PUBLISHED
    gate = Gate(epochs, WARM_UP if published else max(3, round(0.3 * epochs)), waits=not published)
    select = options.method in ("refinery", PUBLISHED)
    return RefineryTargets(sets, human, gate, options.gamma, options.delta, options.tau, select, published)


def first_labels(data: TrainingData) -> Tensor:
    """The person's label where there is one, else the teacher's first label; int64 `(n,)`, -1 for neither."""
    first = torch.from_numpy(data.first)
    person = torch.from_numpy(data.candidates.argmax(1))
    return torch.where(torch.from_numpy(data.decided), person, first)


def _scaled(progress: Progress | None, low: float, high: float) -> Progress | None:
    if progress is None:
        return None
    return lambda share, message: progress(low + (high - low) * share, message)
