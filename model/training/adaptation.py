"""An encoder that learned a project's labels: texts with one label are drawn together, others pushed apart.

Supervised contrastive learning (Khosla et al., 2020, equation 2) on a few dozen to a few hundred human labels, as in
SetFit (Tunstall et al., 2022), after which the head is trained on the new vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from torch import Tensor

from model.arrays import IntArray, Progress, Stop
from model.encoder.encoder import load_checkpoint, mean_pool
from model.encoder.runtimes import preferred
from model.errors import NotEnoughDataError, TrainingError, TrainingStopped
from model.student.adapted import AdaptedEncoder, folder_of, text_key
from model.student.finetuned import tokenised
from model.training.data import TrainingData
from model.training.options import TrainingOptions

log = structlog.get_logger(__name__)

LEAST_LABELS = 100  # human labels, before an encoder is adapted: fewer leave too few to judge it
CHECK_SHARE = 0.25  # of the human labels stay unseen by the encoder, to judge what it is worth

STEPS = 100
BATCH = 24  # texts of a step
CLASSES = 8  # labels of a step, at most
LONGEST = 96  # tokens of a text: the beginning is enough to tell labels apart, and time grows with the length
RATE = 5e-5
TEMPERATURE = 0.1


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
    tokenizer, model, longest = load_checkpoint(options.encoder)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    mover = Mover(model.to(device).train())
    random = np.random.default_rng(options.seed)
    for step in range(STEPS):
        if stop is not None and stop():
            raise TrainingStopped(f"stopped in step {step + 1} of {STEPS} of adapting the encoder")
        rows = drawn(by_label, random)
        inputs = tokenised(tokenizer, [texts[row] for row in rows], min(longest, LONGEST), device)
        mover.step(inputs, torch.from_numpy(labels[rows]).to(device))
        if progress is not None:
            progress((step + 1) / STEPS, "adapting the encoder to people's labels")
    folder.mkdir(parents=True, exist_ok=True)
    model.eval().to("cpu").save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    log.info("encoder_adapted", encoder=options.encoder, labels=len(labels), steps=STEPS)


class Mover:
    """Moves the weights of an encoder, all but its word embeddings: those are half of them, and the few words of the
    labelled texts teach nothing about the others."""

    def __init__(self, model: Any) -> None:
        self._model = model
        for parameter in model.get_input_embeddings().parameters():
            parameter.requires_grad_(False)
        self._moved = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._optimiser = torch.optim.AdamW(self._moved, lr=RATE, fused=True)
        self._schedule = torch.optim.lr_scheduler.LinearLR(self._optimiser, 1.0, 0.1, total_iters=STEPS)
        self._half = preferred() == "bfloat16"

    def step(self, inputs: dict[str, Tensor], labels: Tensor) -> None:
        """One step on tokenised texts with `labels` `(b,)`: AdamW with linear decay, gradients clipped at 1."""
        with torch.autocast(labels.device.type, torch.bfloat16, enabled=self._half):
            pooled = mean_pool(self._model(**inputs).last_hidden_state.float(), inputs["attention_mask"])
        loss = contrastive_loss(torch.nn.functional.normalize(pooled.float(), dim=1), labels)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._moved, 1.0)
        self._optimiser.step()
        self._schedule.step()


def drawn(by_label: dict[int, IntArray], random: np.random.Generator) -> IntArray:
    """Row numbers of one step: the same number of texts of up to eight labels, drawn at random."""
    chosen = random.permutation(sorted(by_label))[:CLASSES]
    each = max(2, BATCH // len(chosen))
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
    """Adapt the encoder of the options to three quarters of people's final labels. Its folder lives as long as it.

    NotEnoughDataError with too few of them; TrainingStopped after `stop()` says so.
    """
    from model.training.adaptation import adapt_encoder

    rows = np.random.default_rng(options.seed).permutation(np.flatnonzero(data.decided))
    learned = np.sort(rows[round(CHECK_SHARE * len(rows)) :])
    texts, labels = [data.texts[row] for row in learned], data.candidates[learned].argmax(1).astype(np.int64)
    own = AdaptedEncoder(Path(), frozenset(map(text_key, texts)))
    own.folder = folder_of(own)
    try:
        adapt_encoder(texts, labels, options, own.folder, progress, stop)
    except OSError as error:
        raise TrainingError(f"the adapted encoder cannot be written to {own.folder}: {error}") from error
    return own
