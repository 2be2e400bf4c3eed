"""Full fine-tuning of a transformers encoder: AdamW, mixed precision and device placement by accelerate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.encoder.encoder import load_checkpoint, mean_pool
from model.errors import ArtifactError
from model.labels import LabelSpace
from model.student.artifact import read_tensors, write_artifact
from model.student.head import softmax
from model.training import refinery
from model.training.augment import make_augmenter
from model.training.extra_losses import mixup_loss
from model.training.options import Embed, TrainingOptions
from model.training.targets import BatchTargets

BATCH_ROWS = 64
CLASSIFIER_RATE = 20.0  # the fresh classifier learns this much faster than the encoder


class Network(torch.nn.Module):
    """Encoder, mean pooling, dropout and a linear classifier."""

    def __init__(self, encoder: Any, num_labels: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(dropout)
        self.classifier = torch.nn.Linear(int(encoder.config.hidden_size), num_labels)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Pooled states `(b, d)` of tokenised texts."""
        states = self.encoder(**inputs).last_hidden_state
        pooled: Tensor = mean_pool(states.float(), inputs["attention_mask"])
        return pooled

    def classify(self, features: Tensor) -> Tensor:
        """Logits `(b, C)`."""
        logits: Tensor = self.classifier(self.dropout(features))
        return logits

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Logits `(b, C)` of tokenised texts."""
        return self.classify(self.features(inputs))


class FinetunedStudent:
    """A student that owns its encoder. `encoder` names the checkpoint that it started from."""

    kind = "finetune"

    def __init__(
        self, space: LabelSpace, encoder: str, tokenizer: Any, network: Network, longest: int, temperature: float = 1.0
    ) -> None:
        self.space, self.encoder, self.temperature = space, encoder, temperature
        self._tokenizer, self._network, self._longest = tokenizer, network.eval(), longest

    def probabilities(self, texts: Sequence[str], embed: Embed | None = None) -> FloatArray:
        """Float32 `(n, C)`, rows sum to 1, temperature applied. `embed` is not used: the encoder was changed."""
        device = self._network.classifier.weight.device
        result = np.zeros((len(texts), len(self.space)), np.float32)
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for start in range(0, len(order), BATCH_ROWS):
            rows = order[start : start + BATCH_ROWS]
            inputs = tokenised(self._tokenizer, [texts[row] for row in rows], self._longest, device)
            with torch.inference_mode():
                logits = self._network(inputs).float().cpu().numpy()
            result[rows] = softmax(logits, self.temperature)
        return result

    @property
    def parts(self) -> tuple[Network, Any, int]:
        """Network, tokenizer, and the longest input in tokens."""
        return self._network, self._tokenizer, self._longest

    def save(self, folder: Path) -> None:
        """Encoder and tokenizer as transformers writes them, the classifier beside them, all in `folder`."""
        classifier = self._network.classifier
        tensors = {
            "weight": classifier.weight.detach().float().cpu().numpy(),
            "bias": classifier.bias.detach().float().cpu().numpy(),
        }
        write_artifact(folder, self, tensors, {"longest": self._longest})
        self._network.encoder.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)


def load_finetuned(folder: Path, space: LabelSpace, encoder: str, temperature: float, longest: int) -> FinetunedStudent:
    """The inverse of `save`; ArtifactError names what is missing."""
    tensors = read_tensors(folder)
    if set(tensors) != {"weight", "bias"}:
        raise ArtifactError(f"{folder}: the classifier has tensors {sorted(tensors)}, not weight and bias")
    tokenizer, model, _ = load_checkpoint(str(folder))
    network = Network(model, len(space), 0.0)
    network.classifier.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    return FinetunedStudent(space, encoder, tokenizer, network, longest, temperature)


class FinetuneLearner:
    """Trains a whole encoder on texts; see `Learner`."""

    snapshot_rows = 512

    def __init__(self, texts: Sequence[str], num_labels: int, options: TrainingOptions, steps: int) -> None:
        from accelerate import Accelerator

        torch.manual_seed(options.seed)
        self.rows, self.num_labels = len(texts), num_labels
        self._texts, self._options = texts, options
        self.tokenizer, encoder, longest = load_checkpoint(options.encoder)
        self.longest = min(options.longest, longest)
        cuda = torch.cuda.is_available()
        precision = {"auto": "bf16" if cuda else "no", "fp32": "no"}.get(options.precision, options.precision)
        self._accelerator = Accelerator(mixed_precision=precision, cpu=not cuda)
        network = Network(encoder, num_labels, options.dropout)
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
                total = total + refinery.consistency_loss(other, found.targets, log_probs.exp(), found.used)
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
        return tokenised(self.tokenizer, texts, self.longest, self._accelerator.device)


def tokenised(tokenizer: Any, texts: Sequence[str], longest: int, device: torch.device) -> dict[str, Tensor]:
    """Padded inputs of at most `longest` tokens on the device."""
    found = tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")
    return {name: tensor.to(device) for name, tensor in found.items()}
