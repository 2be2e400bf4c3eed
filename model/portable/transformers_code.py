"""A student of Shortlist as a model of transformers. This file travels with an exported student and needs nothing else.

from transformers import pipeline
classify = pipeline("text-classification", model="<this folder>", trust_remote_code=True)
print(classify("my card has not arrived", top_k=3))
"""

# No postponed annotations here: transformers executes this file from a folder of its own.
from typing import Any

import torch
from transformers import CONFIG_MAPPING, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class StudentConfig(PretrainedConfig):
    """`encoder` is the configuration of the encoder, `heads` one object {"hidden": width or 0} per head, `normalised`
    whether vectors are brought to length 1 before the heads,
    `sharpness` the power of the probabilities (1 / temperature)."""

    model_type = "shortlist-student"

    def __init__(
        self, encoder: Any = None, heads: Any = None, normalised: bool = True, sharpness: float = 1.0, **others: Any
    ) -> None:
        self.encoder = encoder or {"model_type": "bert"}
        self.heads = heads or [{"hidden": 0}]
        self.normalised, self.sharpness = normalised, sharpness
        super().__init__(**others)


class Head(torch.nn.Module):
    """Standardise, optional hidden layer with ReLU, linear layer."""

    def __init__(self, width: int, hidden: int, labels: int) -> None:
        super().__init__()
        self.mean = torch.nn.Parameter(torch.zeros(width), requires_grad=False)
        self.scale = torch.nn.Parameter(torch.ones(width), requires_grad=False)
        self.hidden = torch.nn.Linear(width, hidden) if hidden else None
        self.out = torch.nn.Linear(hidden or width, labels)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Logits `(n, C)` of vectors `(n, d)`."""
        states = (vectors - self.mean) * self.scale
        return self.out(states if self.hidden is None else torch.relu(self.hidden(states)))


class StudentForSequenceClassification(PreTrainedModel):
    """Encoder, mean pooling, and one or several heads whose probabilities are averaged."""

    config_class = StudentConfig
    base_model_prefix = "student"

    def __init__(self, config: StudentConfig) -> None:
        super().__init__(config)
        inner = dict(config.encoder)
        encoder = CONFIG_MAPPING[inner.pop("model_type")](**inner)
        self.encoder = AutoModel.from_config(encoder)
        width = int(encoder.hidden_size)
        self.heads = torch.nn.ModuleList(
            Head(width, int(head.get("hidden", 0)), len(config.id2label or ())) for head in config.heads
        )
        self.post_init()

    def forward(self, input_ids: Any = None, attention_mask: Any = None, **others: Any) -> SequenceClassifierOutput:
        """`logits` are logarithms of the heads' mean probabilities, tempered; a softmax makes probabilities of them."""
        inputs = {name: others[name] for name in ("token_type_ids", "position_ids") if others.get(name) is not None}
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **inputs).last_hidden_state.float()
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        vectors = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        if self.config.normalised:
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        shares = [torch.softmax(head(vectors), dim=1) for head in self.heads]
        mean = torch.stack(shares).mean(0).clamp(min=1e-12)
        return SequenceClassifierOutput(logits=mean.log() * self.config.sharpness)
