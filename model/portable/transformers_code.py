"""A student of Shortlist as a model of transformers. This file travels with an exported student and needs nothing else.

from transformers import pipeline
classify = pipeline("text-classification", model="<this folder>", trust_remote_code=True)
print(classify("my card has not arrived"))
"""

# No postponed annotations here: transformers executes this file from a folder of its own.
from typing import Any

import torch
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_TEXT_ENCODING_MAPPING,
    AutoModel,
    AutoModelForTextEncoding,
    PretrainedConfig,
    PreTrainedModel,
    TextClassificationPipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from model.portable.answering import listed

ACTIVATIONS = {
    "identity": torch.nn.Identity, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "gelu": torch.nn.GELU,
    "sigmoid": torch.nn.Sigmoid,
}  # fmt: skip


class StudentConfig(PretrainedConfig):
    """`encoder` is the configuration of the encoder, `heads` one object {"hidden": width or 0} per head, `normalised`
    whether vectors are brought to length 1 before the heads, `sharpness` the power of the probabilities (1 /
    temperature), `questions` those that `answering` describes.

    `usage` says how a text becomes a vector: "pooling" (ways, joined), "skipped" (first tokens that do not count),
    "kept" (numbers of the vector; 0: all), "longest" (tokens read at once, of which "lead" stand before the text and
    "trail" behind), "pieces" (of a longer text, at most); `dense` are layers behind the pooling."""

    model_type = "shortlist-student"

    def __init__(
        self, encoder: Any = None, heads: Any = None, normalised: bool = True, sharpness: float = 1.0,
        usage: Any = None, dense: Any = None, questions: Any = None, **others: Any,
    ) -> None:  # fmt: skip
        self.encoder = encoder or {"model_type": "bert"}
        self.heads = [{"hidden": 0}] if heads is None else heads
        self.normalised, self.sharpness = normalised, sharpness
        self.usage, self.dense, self.questions = usage or {}, dense or [], questions or []
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


def pool(states: torch.Tensor, mask: torch.Tensor, way: str, skipped: int) -> torch.Tensor:
    """Token states `(n, length, d)`, padded on the right, to `(n, d)`."""
    places = torch.arange(mask.shape[1], device=mask.device)
    kept = mask * (places >= skipped).to(mask.dtype) if skipped else mask
    if way == "cls":
        return states[:, skipped]
    if way == "last":
        last = (mask.sum(1) - 1).clamp(min=0)
        return states.gather(1, last[:, None, None].expand(-1, 1, states.shape[2])).squeeze(1)
    if way == "max":
        return states.masked_fill(kept.unsqueeze(-1) == 0, float("-inf")).amax(1)
    weights = (kept * (places + 1) if way == "weighted mean" else kept).unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


class StudentForSequenceClassification(PreTrainedModel):
    """Encoder, pooling, and one or several heads whose probabilities are averaged."""

    config_class = StudentConfig
    base_model_prefix = "student"

    def __init__(self, config: StudentConfig) -> None:
        super().__init__(config)
        inner = dict(config.encoder)
        encoder = CONFIG_MAPPING[inner.pop("model_type")](**inner)
        kind = AutoModelForTextEncoding if type(encoder) in MODEL_FOR_TEXT_ENCODING_MAPPING else AutoModel
        self.encoder = kind.from_config(encoder)
        use = {"pooling": ["mean"], "skipped": 0, "kept": 0, "longest": 0, "lead": 1, "trail": 1, "pieces": 1}
        self.use: dict[str, Any] = {**use, **config.usage}
        self.dense = torch.nn.ModuleList(
            torch.nn.Linear(int(one["in"]), int(one["out"]), bias=bool(one["bias"])) for one in config.dense
        )
        width = int(config.dense[-1]["out"] if config.dense else encoder.hidden_size * len(self.use["pooling"]))
        width = min(self.use["kept"] or width, width)
        self.heads = torch.nn.ModuleList(
            Head(width, int(head.get("hidden", 0)), len(config.id2label or ())) for head in config.heads
        )
        self.post_init()

    def forward(self, input_ids: Any = None, attention_mask: Any = None, **others: Any) -> SequenceClassifierOutput:
        """`logits` are logarithms of the heads' mean probabilities, tempered, of each question; a softmax makes
        probabilities of them. Where several labels may be right they are log odds, of which a sigmoid does."""
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        if 0 < self.use["longest"] < input_ids.shape[1]:
            return self.classified(torch.cat([self.long(*row) for row in zip(input_ids, attention_mask, strict=True)]))
        return self.classified(self.vectors(input_ids, attention_mask))

    def classified(self, vectors: torch.Tensor) -> SequenceClassifierOutput:
        """What the heads say about vectors `(n, d)`."""
        found = [head(vectors) for head in self.heads]
        mean = torch.stack([self.shares(logits) for logits in found]).mean(0)
        parts = []
        for one, columns in self._questions():
            if one["kind"] == "any":
                parts.append(torch.logit(mean[:, columns], eps=1e-7))
            else:
                alone = len(self.config.questions) == 1
                parts.append(mean[:, columns].clamp(min=1e-12).log() * (self.config.sharpness if alone else 1.0))
        return SequenceClassifierOutput(logits=torch.cat(parts, dim=1))

    def shares(self, logits: torch.Tensor) -> torch.Tensor:
        """Probabilities `(n, C)` of logits: of each question, or where several labels may be right of each label."""
        return torch.cat(
            [
                torch.sigmoid(logits[:, columns]) if one["kind"] == "any" else torch.softmax(logits[:, columns], dim=1)
                for one, columns in self._questions()
            ],
            dim=1,
        )

    def _questions(self) -> list[tuple[dict[str, Any], slice]]:
        return [(one, slice(one["start"], one["stop"])) for one in self.config.questions]

    def vectors(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Vectors `(n, d)` of tokens `(n, length)` that are read at once."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
        ways = [pool(states, attention_mask, way, self.use["skipped"]) for way in self.use["pooling"]]
        vectors = torch.cat(ways, dim=1)
        for layer, one in zip(self.dense, self.config.dense, strict=True):
            vectors = ACTIVATIONS[one["activation"]]()(layer(vectors))
        vectors = vectors[:, : self.use["kept"]] if self.use["kept"] else vectors
        return torch.nn.functional.normalize(vectors, dim=1) if self.config.normalised else vectors

    def long(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The vector `(1, d)` of one text of any length: the mean of its pieces' vectors, weighted by their tokens."""
        ids = ids[mask.bool()]
        lead, trail, longest = self.use["lead"], self.use["trail"], self.use["longest"]
        if len(ids) <= longest:
            return self.vectors(ids[None], torch.ones_like(ids[None]))
        end, room = len(ids) - trail, max(1, longest - lead - trail)
        size = -(-(end - lead) // -(-(end - lead) // room))
        starts = list(range(lead, end, size))
        if self.use["pieces"] == 1:
            starts, size = starts[:1], room
        elif len(starts) > self.use["pieces"]:
            step = (len(starts) - 1) / (self.use["pieces"] - 1)
            starts = [starts[round(number * step)] for number in range(self.use["pieces"])]
        pieces = [torch.cat([ids[:lead], ids[at : min(at + size, end)], ids[end:]])[None] for at in starts]
        mean = sum((piece.shape[1] - lead - trail) * self.vectors(piece, torch.ones_like(piece)) for piece in pieces)
        total = sum(piece.shape[1] - lead - trail for piece in pieces)
        return torch.nn.functional.normalize(mean, dim=1) if self.config.normalised else mean / total


class StudentPipeline(TextClassificationPipeline):
    """Answers as Shortlist serves them: of levels in order the median, of several labels or questions all labels that
    are meant. With `top_k` so many labels: the answer, then the most probable of the others."""

    def __call__(self, inputs: Any, *more: Any, **others: Any) -> Any:
        """A list of labels with their probabilities, or for a list of texts one for each."""
        found = super().__call__(inputs, *more, **others)
        return found[0] if isinstance(inputs, str) and "top_k" not in others else found

    def postprocess(  # type: ignore[override]
        self, model_outputs: Any, function_to_apply: Any = None, top_k: Any = 1, _legacy: Any = True
    ) -> Any:
        """The answer to one text; without `top_k` (`_legacy`) as many labels as are meant."""
        model: Any = self.model
        shares = model.shares(model_outputs["logits"].float())[0].numpy()
        return listed(model.config.questions, shares, None if _legacy else top_k or len(shares))
