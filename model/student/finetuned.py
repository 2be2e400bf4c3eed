"""A fine-tuned student: what it is, and its stored form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.arrays import Embed, FloatArray, softmax
from model.encoder.loading import Checkpoint, load_own
from model.encoder.pieces import cut, padded
from model.encoder.pooling import Pooled
from model.encoder.usage import Usage
from model.errors import ArtifactError
from model.labels import LabelSpace
from model.student.artifact import read_tensors, write_artifact

BATCH_ROWS = 64


class Network(torch.nn.Module):
    """Encoder with its pooling, dropout and a linear classifier."""

    def __init__(self, encoder: Pooled, num_labels: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(dropout)
        self.classifier = torch.nn.Linear(encoder.dimension, num_labels)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Pooled states `(b, d)` of tokenised texts."""
        found: Tensor = self.encoder(**inputs)
        return found

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
    thresholds = None

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
            inputs = tokenised(self.checkpoint, [texts[row] for row in rows], self._longest, device)
            with torch.inference_mode():
                logits = self._network(inputs).float().cpu().numpy()
            result[rows] = softmax(logits, self.temperature)
        return result

    @property
    def checkpoint(self) -> Checkpoint:
        """Tokenizer and encoder."""
        return Checkpoint(self._tokenizer, self._network.encoder)

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
        self.checkpoint.save(folder)


def load_finetuned(folder: Path, space: LabelSpace, encoder: str, temperature: float, longest: int) -> FinetunedStudent:
    """The inverse of `save`; ArtifactError names what is missing."""
    tensors = read_tensors(folder)
    if set(tensors) != {"weight", "bias"}:
        raise ArtifactError(f"{folder}: the classifier has tensors {sorted(tensors)}, not weight and bias")
    found = load_own(folder)
    network = Network(found.pooled, len(space), 0.0)
    network.classifier.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    return FinetunedStudent(space, encoder, found.tokenizer, network, longest, temperature)


def tokenised(checkpoint: Checkpoint, texts: Sequence[str], longest: int, device: torch.device) -> dict[str, Tensor]:
    """Padded inputs of the texts' beginnings, at most `longest` tokens, on the device."""
    usage = beginning(checkpoint.usage, longest)
    rows = [cut(tokens, usage)[0] for tokens in checkpoint.tokens([usage.given(text) for text in texts])]
    ids, mask = padded(rows, int(checkpoint.tokenizer.pad_token_id))
    return {"input_ids": torch.from_numpy(ids).to(device), "attention_mask": torch.from_numpy(mask).to(device)}


def beginning(usage: Usage, longest: int) -> Usage:
    """The same, of which texts longer than `longest` tokens are not read on."""
    return replace(usage, longest=min(longest, usage.longest), pieces=1)
