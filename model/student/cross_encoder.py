"""A cross-encoder: a transformer that reads both texts of a pair at once, and answers what a linear layer makes of it.

It starts from the weights of the student's encoder. Word embeddings and the first third of the layers stay as they are,
so that only the rest is stored.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.encoder.loading import load_checkpoint
from model.encoder.pooling import mean_pool
from model.errors import ArtifactError
from model.pairs import Pair

LONGEST = 128  # tokens of both texts; the longer one is cut
BATCH = 16  # pairs read at once
STILL = re.compile(r"(^|\.)(embeddings|pooler)\.")  # the pooler is not used
LAYER = re.compile(r"(?:^|\.)layers?\.(\d+)\.")


class CrossEncoder(torch.nn.Module):
    """Reads pairs of texts and answers with probabilities of `labels` labels; `encoder` is a value of STUDENT_ENCODER.
    EncoderError if that cannot be loaded."""

    def __init__(self, pair: Pair, encoder: str, labels: int) -> None:
        super().__init__()
        found = load_checkpoint(encoder)
        self.pair, self._tokenizer = pair, found.tokenizer
        self.model: Any = found.pooled.model
        self._longest = min(LONGEST, int(getattr(self.model.config, "max_position_embeddings", 0)) or LONGEST)
        still = int(getattr(self.model.config, "num_hidden_layers", 0)) // 3
        for name, weights in self.model.named_parameters():
            layer = LAYER.search(name)
            stays = STILL.search(name) is not None or (layer is not None and int(layer[1]) < still)
            weights.requires_grad_(not stays)
        self.classifier = torch.nn.Linear(int(self.model.config.hidden_size), labels)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Logits `(n, C)` of the texts of tasks. Where the order of the two does not matter, it is that of letters."""
        sides = [self.pair.parts(text) for text in texts]
        if self.pair.symmetric:
            sides = [(min(both), max(both)) for both in sides]
        left, right = ([both[side] for both in sides] for side in (0, 1))
        inputs = self._tokenizer(
            left, right, padding=True, truncation=True, max_length=self._longest, return_tensors="pt"
        ).to(self.classifier.weight.device)
        states = self.model(**inputs).last_hidden_state
        logits: Tensor = self.classifier(mean_pool(states, inputs["attention_mask"]))
        return logits

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Float32 `(n, C)`, rows sum to 1."""
        found = np.zeros((len(texts), self.classifier.out_features), np.float32)
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        self.eval()
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            with torch.inference_mode():
                found[rows] = self([texts[row] for row in rows]).float().softmax(1).cpu().numpy()
        return found

    @cached_property
    def identity(self) -> str:
        """The same for the same answers: under it they are kept."""
        found = hashlib.sha256(json.dumps(self.pair.to_json()).encode())
        for name, array in sorted(self.tensors().items()):
            found.update(name.encode() + array.tobytes())
        return f"cross-{found.hexdigest()[:24]}"

    def moved(self) -> list[torch.nn.Parameter]:
        """The weights of the transformer that training moves."""
        return [weights for weights in self.model.parameters() if weights.requires_grad]

    def tensors(self) -> dict[str, FloatArray]:
        """What training moved, by name."""
        own = {name for name, weights in self.named_parameters() if weights.requires_grad}
        return {name: tensor.float().cpu().numpy() for name, tensor in self.state_dict().items() if name in own}

    def fill(self, tensors: dict[str, FloatArray], source: Path) -> None:
        """Put what `tensors` gave in its place; ArtifactError names `source` if it is of another encoder."""
        mine = self.state_dict()
        own = {name for name, weights in self.named_parameters() if weights.requires_grad}
        if set(tensors) != own or any(tuple(mine[name].shape) != array.shape for name, array in tensors.items()):
            raise ArtifactError(f"{source}: its tensors are not those of a cross-encoder on this student's encoder")
        self.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()}, strict=False)
