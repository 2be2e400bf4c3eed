"""Full fine-tuning of a transformers encoder: AdamW, mixed precision and device placement by accelerate."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from model.encoder.loading import Checkpoint, load_checkpoint
from model.labels import LabelSpace
from model.student.finetuned import BATCH_ROWS, FinetunedStudent, Network, tokenised
from model.training import refinery
from model.training.augment import make_augmenter
from model.training.extra_losses import mixup_loss
from model.training.options import TrainingOptions
from model.training.targets import BatchTargets

CLASSIFIER_RATE = 20.0  # the fresh classifier learns this much faster than the encoder


class FinetuneLearner:
    """Trains a whole encoder on texts; see `Learner`."""

    snapshot_rows = 512

    def __init__(self, texts: Sequence[str], num_labels: int, options: TrainingOptions, steps: int) -> None:
        from accelerate import Accelerator

        torch.manual_seed(options.seed)
        self.rows, self.num_labels = len(texts), num_labels
        self._texts, self._options = texts, options
        found = load_checkpoint(options.encoder)
        self.tokenizer = found.tokenizer
        self.longest = min(options.longest, found.usage.longest)
        cuda = torch.cuda.is_available()
        precision = {"auto": "bf16" if cuda else "no", "fp32": "no"}.get(options.precision, options.precision)
        self._accelerator = Accelerator(mixed_precision=precision, cpu=not cuda)
        network = Network(found.pooled.train(), num_labels, options.dropout)
        rate = options.learning_rate or 3e-5
        groups = [
            {"params": list(network.encoder.parameters()), "lr": rate},
            {"params": list(network.classifier.parameters()), "lr": rate * CLASSIFIER_RATE},
        ]
        optimiser = torch.optim.AdamW(groups, lr=rate, weight_decay=options.weight_decay)
        self.network, self._optimiser = self._accelerator.prepare(network, optimiser)
        self._schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=max(1, steps))
        self._random = torch.Generator().manual_seed(options.seed)
        self._augment = make_augmenter(options.augmentation) if options.consistency else None
        self._features: Tensor | None = None
        self._steps = 0

    def parameters(self) -> list[Tensor]:
        """Everything is trained."""
        return list(self.network.parameters())

    def logits(self, rows: Tensor) -> Tensor:
        """`(b, C)` with dropout; the pooled states are kept for mixup."""
        self.network.train()
        with self._accelerator.autocast():
            self._features = self._plain.features(self._inputs([self._texts[row] for row in rows.tolist()]))
            return self._plain.classify(self._features)

    def score(self, rows: Tensor) -> Tensor:
        """Log-probabilities `(b, C)` in eval mode; batches are sorted by length."""
        self.network.eval()
        numbers = rows.tolist()
        order = sorted(range(len(numbers)), key=lambda place: -len(self._texts[numbers[place]]))
        result = torch.empty(len(numbers), self.num_labels)
        with torch.no_grad(), self._accelerator.autocast():
            for start in range(0, len(order), BATCH_ROWS):
                places = order[start : start + BATCH_ROWS]
                logits = self.network(self._inputs([self._texts[numbers[place]] for place in places]))
                result[places] = torch.log_softmax(logits.float(), 1).cpu()
        return result

    def extra_loss(self, rows: Tensor, found: BatchTargets, log_probs: Tensor) -> Tensor | None:
        """Equations 8 and 9, as far as the options ask for them."""
        if self._features is None or not (self._augment or self._options.mixup or self._options.method == "freeal"):
            return None
        total = torch.zeros((), device=log_probs.device)
        with self._accelerator.autocast():
            if self._options.mixup or self._options.method == "freeal":
                total = total + mixup_loss(self._features, found, self._plain.classify, self._random)
            if self._augment is not None:
                texts = self._augment([self._texts[row] for row in rows.tolist()], self._options.seed + self._steps)
                other = torch.log_softmax(self._plain(self._inputs(texts)).float(), 1)
                within = found.used if found.within is None else found.within
                total = total + refinery.consistency_loss(other, found.targets, log_probs.exp(), within)
        return total

    def step(self, loss: Tensor) -> None:
        """Gradient (scaled where the precision needs it), clipping at 1, AdamW, linear decay."""
        self._optimiser.zero_grad(set_to_none=True)
        self._accelerator.backward(loss)
        self._accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self._schedule.step()
        self._features = None
        self._steps += 1

    def student(self, space: LabelSpace) -> FinetunedStudent:
        """The trained student."""
        return FinetunedStudent(space, self._options.encoder, self.tokenizer, self._plain.float(), self.longest)

    @property
    def _plain(self) -> Network:
        network: Network = self._accelerator.unwrap_model(self.network)
        return network

    def _inputs(self, texts: Sequence[str]) -> dict[str, Tensor]:
        checkpoint = Checkpoint(self.tokenizer, self._plain.encoder)
        return tokenised(checkpoint, texts, self.longest, self._accelerator.device)
