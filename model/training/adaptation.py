"""An encoder that learned a project's labels: texts with one label are drawn together, others pushed apart.

Supervised contrastive learning (Khosla et al., 2020, equation 2) on a few dozen to a few hundred human labels, as in
SetFit (Tunstall et al., 2022), after which the head is trained on the new vectors. Of pairs of texts those of a higher
label are drawn together more than those of a lower one (CoSENT, Su 2022), labels being in the order in which the
unchanged encoder finds their pairs alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import structlog
import torch
from torch import Tensor

from model.arrays import IntArray, Progress, Stop
from model.encoder.loading import Checkpoint, load_checkpoint
from model.encoder.pooling import Pooled
from model.encoder.runtimes import preferred
from model.errors import NotEnoughDataError, TrainingError, TrainingStopped
from model.pair_views import cosines
from model.pairs import Pair
from model.student.adapted import AdaptedEncoder, folder_of
from model.student.finetuned import tokenised
from model.text_groups import folds, text_groups, text_key
from model.training.data import TrainingData
from model.training.options import TrainingOptions

log = structlog.get_logger(__name__)

LEAST_LABELS = 40  # human labels, before an encoder is adapted
ENOUGH = 100  # labels, of which some are left to judge what it is worth; of fewer it learns all, and the teacher judges
CHECK_SHARE = 0.25  # of enough labels stay unseen by the encoder

STEPS = 100
FEW = 75  # labels that it learns, below which half as many steps do
BATCH = 24  # texts of a step
CLASSES = 8  # labels of a step, at most
LONGEST = 96  # tokens of a text: the beginning is enough to tell labels apart, and time grows with the length
RATE = 5e-5
TEMPERATURE = 0.1
ORDERED_BY = 40  # pairs of a label, whose mean cosine is its place among the labels
SHARPNESS = 20.0  # of differences of cosines, as its author has it


def adapt_encoder(
    texts: Sequence[str],
    labels: IntArray,
    options: TrainingOptions,
    folder: Path,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> None:
    """Write the adapted encoder and its tokenizer into `folder`, as `load_encoder` reads them.

    `labels` `(k,)` are the people's; NotEnoughDataError unless two labels have two texts each; TrainingStopped within
    a step after `stop()` says so.
    """
    by_label = {int(label): np.flatnonzero(labels == label) for label in np.unique(labels)}
    by_label = {label: rows for label, rows in by_label.items() if len(rows) > 1}
    if len(by_label) < 2:
        raise NotEnoughDataError("two labels with two texts each are needed to adapt an encoder")
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    found = load_checkpoint(options.encoder)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lesson = Contrast(texts, labels) if options.pair is None else Order.of(texts, labels, options.pair, found)
    steps = STEPS if len(labels) >= FEW else max(1, STEPS // 2)
    mover = Mover(found.pooled.to(device).train(), steps)
    random = np.random.default_rng(options.seed)
    for step in range(steps):
        if stop is not None and stop():
            raise TrainingStopped(f"stopped in step {step + 1} of {steps} of adapting the encoder")
        rows = drawn(by_label, random, lesson.batch)
        mover.step(tokenised(found, lesson.texts_of(rows), LONGEST, device), partial(lesson.loss, rows))
        if progress is not None:
            progress((step + 1) / steps, "adapting the encoder to people's labels")
    found.pooled.eval().to("cpu")
    found.save(folder)
    log.info("encoder_adapted", encoder=options.encoder, labels=len(labels), steps=steps)


def least_labels(pair: Pair | None) -> int:
    """Human labels from which an encoder is adapted: where tasks are pairs, no fewer than some may be left of."""
    return LEAST_LABELS if pair is None else ENOUGH


class Mover:
    """Moves the weights of an encoder, all but its word embeddings: those are half of them, and the few words of the
    labelled texts teach nothing about the others."""

    def __init__(self, encoder: Pooled, steps: int) -> None:
        self._encoder = encoder
        for parameter in encoder.model.get_input_embeddings().parameters():
            parameter.requires_grad_(False)
        self._moved = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
        self._optimiser = torch.optim.AdamW(self._moved, lr=RATE, fused=True)
        self._schedule = torch.optim.lr_scheduler.LinearLR(self._optimiser, 1.0, 0.1, total_iters=steps)
        self._half = preferred() == "bfloat16"

    def step(self, inputs: dict[str, Tensor], loss_of: Callable[[Tensor], Tensor]) -> None:
        """One step on tokenised texts by the loss of their unit vectors `(b, d)`: AdamW with linear decay, gradients
        clipped at 1."""
        with torch.autocast(inputs["input_ids"].device.type, torch.bfloat16, enabled=self._half):
            pooled = self._encoder(**inputs)
        loss = loss_of(torch.nn.functional.normalize(pooled.float(), dim=1))
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._moved, 1.0)
        self._optimiser.step()
        self._schedule.step()


@dataclass(frozen=True)
class Contrast:
    """What single texts with `labels` `(k,)` teach."""

    texts: Sequence[str]
    labels: IntArray
    batch = BATCH

    def texts_of(self, rows: IntArray) -> list[str]:
        """What is embedded for these rows."""
        return [self.texts[row] for row in rows]

    def loss(self, rows: IntArray, vectors: Tensor) -> Tensor:
        """Of the rows' unit vectors `(b, d)`."""
        return contrastive_loss(vectors, torch.from_numpy(self.labels[rows]).to(vectors.device))


@dataclass(frozen=True)
class Order:
    """What pairs of texts teach whose `grades` `(k,)` are in order."""

    sides: Sequence[tuple[str, str]]
    grades: IntArray
    batch = BATCH // 2

    @classmethod
    def of(cls, texts: Sequence[str], labels: IntArray, pair: Pair, checkpoint: Checkpoint) -> Order:
        """Labels `(k,)` in the order of the mean cosine that the encoder gives to their pairs before it is adapted."""
        from model.encoder.encoder import Encoder

        embed, known = Encoder("unchanged", checkpoint).embed, np.unique(labels)
        some = [[texts[row] for row in np.flatnonzero(labels == label)[:ORDERED_BY]] for label in known]
        order = known[np.argsort([cosines(pair, part, embed).mean() for part in some], kind="stable")]
        place = {int(label): grade for grade, label in enumerate(order)}
        return cls([pair.parts(text) for text in texts], np.array([place[int(label)] for label in labels], np.int64))

    def texts_of(self, rows: IntArray) -> list[str]:
        """The first text of each row, then the second of each."""
        return [self.sides[row][side] for side in (0, 1) for row in rows]

    def loss(self, rows: IntArray, vectors: Tensor) -> Tensor:
        """Of the unit vectors `(2 b, d)` of `texts_of`."""
        left, right = vectors.chunk(2)
        return cosent_loss((left * right).sum(1), torch.from_numpy(self.grades[rows]).to(vectors.device))


def cosent_loss(alike: Tensor, grades: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """CoSENT of cosines `(b,)` of pairs with ordered grades `(b,)`, a scalar: log(1 + sum of exp(20 (c_k - c_i))) over
    all i, k of which i has the higher grade."""
    gaps = sharpness * (alike[None, :] - alike[:, None])
    higher = grades[:, None] > grades[None, :]
    return torch.logsumexp(torch.cat([alike.new_zeros(1), gaps[higher]]), 0)


def drawn(by_label: dict[int, IntArray], random: np.random.Generator, batch: int = BATCH) -> IntArray:
    """Row numbers of one step: the same number of texts (or pairs) of up to eight labels, drawn at random."""
    chosen = random.permutation(sorted(by_label))[:CLASSES]
    each = max(2, batch // len(chosen))
    parts = [random.choice(by_label[int(label)], each, replace=len(by_label[int(label)]) < each) for label in chosen]
    return np.asarray(np.concatenate(parts), np.int64)


def contrastive_loss(vectors: Tensor, labels: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Khosla et al. (2020), equation 2, for L2-normalised vectors `(b, d)` with labels `(b,)`; a scalar.

    The mean over rows of the mean over the row's partners of the same label of -log softmax of their similarities.
    A row without a partner counts 0.
    """
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same = (labels[:, None] == labels[None]) & ~itself
    likeness = (vectors @ vectors.T / temperature).masked_fill(itself, -torch.inf)
    log_share = (likeness - torch.logsumexp(likeness, 1, keepdim=True)).masked_fill(itself, 0.0)
    return -((log_share * same).sum(1) / same.sum(1).clamp(min=1)).mean()


def adapt(
    data: TrainingData, options: TrainingOptions, progress: Progress | None = None, stop: Stop | None = None
) -> AdaptedEncoder:
    """Adapt the encoder of the options to people's final labels: to three quarters of a hundred and more, and of pairs;
    to all of fewer. Its folder lives as long as it.

    NotEnoughDataError with too few of them; TrainingStopped after `stop()` says so.
    """
    from model.training.adaptation import adapt_encoder

    rows = np.flatnonzero(data.decided)
    groups = text_groups([data.texts[row] for row in rows], None, options.pair)
    fold_of = folds(groups, round(1 / CHECK_SHARE), options.seed)
    learned = rows if len(rows) < ENOUGH and options.pair is None else rows[fold_of > 0]
    texts, labels = [data.texts[row] for row in learned], data.candidates[learned].argmax(1).astype(np.int64)
    own = AdaptedEncoder(Path(), frozenset(map(text_key, texts)))
    own.folder = folder_of(own)
    try:
        adapt_encoder(texts, labels, options, own.folder, progress, stop)
    except OSError as error:
        raise TrainingError(f"the adapted encoder cannot be written to {own.folder}: {error}") from error
    return own
