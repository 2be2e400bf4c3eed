"""How a student is trained, and what the training says about itself afterwards."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.pool_beliefs import PoolBeliefs

from model.pairs import Pair

PUBLISHED = "refinery-published"  # CanDist's refinery without our protection of labels that are not learnt yet
METHODS: tuple[str, ...] = (
    "distillation", "uniform", "renormalised", "refinery", PUBLISHED, "freeal", "shortlist", "gold",
)  # fmt: skip
WAYS: tuple[str, ...] = ("auto", "head", "finetune")
FREQUENCIES: tuple[str, ...] = ("unknown", "even")
ADAPTED = "adapted"  # TrainingReport.way of a head on an encoder of its own


@dataclass(frozen=True)
class TrainingOptions:
    """Settings of one training; None takes the default of the way (head or fine-tuning).

    Names of the published settings are those of CanDist (arXiv 2506.03857): gamma sharpens, delta is the selected
    share, tau the confidence threshold.
    """

    method: str = "shortlist"
    way: str = "auto"  # auto: a head
    encoder: str = "default"
    runtime: str = "float32"  # how the vectors were computed; see model.encoder.runtimes
    seed: int = 0
    threads: int = 1
    epochs: int | None = None  # head 40; fine-tuning 10 on a CPU, 50 on a GPU
    batch: int | None = None  # rows; head 32 to 512 by the size of the pool, fine-tuning 32
    learning_rate: float | None = None  # head 2e-3, fine-tuning 3e-5
    weight_decay: float = 0.01
    hidden: int = 256  # units of the head's hidden layer; 0: a linear head
    dropout: float = 0.1
    frequencies: str = "unknown"  # even: labels are about equally frequent, so a teacher's preferences are corrected
    heads: int | None = None  # heads that answer together; None: several for small pools of the method shortlist
    unlabelled: int = 10_000  # texts without any answer that a head learns from by its own ones; 0: none
    gamma: float = 0.85
    delta: float = 0.5
    tau: float = 0.99
    consistency: bool = False  # equation 8; fine-tuning only
    mixup: bool = False  # equation 9; fine-tuning only
    augmentation: str = "words"  # of consistency: words (no second model) or back-translation
    longest: int = 128  # tokens, fine-tuning
    pair: Pair | None = None  # how each text holds two that are compared
    falling: bool = False  # the first label is the best grade of a document, not the worst
    precision: str = "auto"  # fine-tuning: auto (bf16 on a GPU), fp32, bf16, fp16

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method {self.method!r} is not one of {', '.join(METHODS)}")
        if self.frequencies not in FREQUENCIES:
            raise ValueError(f"frequencies {self.frequencies!r} is not one of {', '.join(FREQUENCIES)}")
        if self.way not in WAYS:
            raise ValueError(f"way {self.way!r} is not one of {', '.join(WAYS)}")

    def to_json(self) -> dict[str, object]:
        """A plain object for reports and model cards."""
        return {**asdict(replace(self, pair=None)), "pair": None if self.pair is None else self.pair.to_json()}


@dataclass
class TrainingReport:
    """What a training did; stored in the model card."""

    method: str
    way: str
    rows: int
    human_rows: int
    unlabelled_rows: int = 0  # without any answer, learned from by the student's own ones
    seconds: float = 0.0
    epochs: int = 0  # none where a linear head answers
    went_on: bool = False  # from the head of an earlier student, for a fifth of the epochs
    loss: float = 0.0
    settings: dict[str, object] = field(default_factory=dict)
    found: dict[str, object] = field(default_factory=dict)  # what the method learnt about teacher and texts
    adapted_now: bool = False  # whether the encoder was adapted in this training
    warnings: list[str] = field(default_factory=list)
    texts: dict[str, object] = field(default_factory=dict)  # how they fit the encoder; see backend.training.text_fit
    pair: dict[str, object] = field(default_factory=dict)  # what is seen of tasks of two texts, and how it was chosen
    cross: dict[str, object] = field(default_factory=dict)  # what a cross-encoder is worth beside it, and costs
    runtime: dict[str, object] = field(default_factory=dict)  # how texts were encoded, and what a check of that found
    believed: PoolBeliefs | None = None  # of its own texts, where an answer is a set of labels; it is not stored

    def to_json(self) -> dict[str, object]:
        """A plain object."""
        return {name: value for name, value in asdict(replace(self, believed=None)).items() if name != "believed"}
