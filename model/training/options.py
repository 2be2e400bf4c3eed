"""How a student is trained, and what the training says about itself afterwards."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

METHODS: tuple[str, ...] = ("distillation", "uniform", "renormalised", "refinery", "freeal", "shortlist", "gold")
WAYS: tuple[str, ...] = ("auto", "head", "finetune")
ADAPTED = "adapted"  # TrainingReport.way of a head on an encoder of its own


@dataclass(frozen=True)
class TrainingOptions:
    """Settings of one training; None takes the default of the way (head or fine-tuning).

    Names of the published settings are those of CanDist (arXiv 2506.03857): gamma sharpens, delta is the selected
    share, tau the confidence threshold.
    """

    method: str = "shortlist"
    way: str = "auto"  # auto: fine-tuning where there is a GPU, else a head
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
    heads: int | None = None  # heads that answer together; None: several for small pools of the method shortlist
    unlabelled: int = 10_000  # texts without any answer that a head learns from by its own ones; 0: none
    gamma: float = 0.85
    delta: float = 0.5
    tau: float = 0.99
    gate: bool = True  # False: filter right after warm-up, as published
    consistency: bool = False  # equation 8; fine-tuning only
    mixup: bool = False  # equation 9; fine-tuning only
    augmentation: str = "words"  # of consistency: words (no second model) or back-translation
    longest: int = 128  # tokens, fine-tuning
    precision: str = "auto"  # fine-tuning: auto (bf16 on a GPU), fp32, bf16, fp16

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method {self.method!r} is not one of {', '.join(METHODS)}")
        if self.way not in WAYS:
            raise ValueError(f"way {self.way!r} is not one of {', '.join(WAYS)}")

    def to_json(self) -> dict[str, object]:
        """A plain object for reports and model cards."""
        return asdict(self)


@dataclass
class TrainingReport:
    """What a training did; stored in the model card."""

    method: str
    way: str
    rows: int
    human_rows: int
    unlabelled_rows: int = 0  # without any answer, learned from by the student's own ones
    seconds: float = 0.0
    epochs: int = 0
    loss: float = 0.0
    settings: dict[str, object] = field(default_factory=dict)
    found: dict[str, object] = field(default_factory=dict)  # what the method learnt about teacher and texts
    adapted_now: bool = False  # whether the encoder was adapted in this training
    warnings: list[str] = field(default_factory=list)
    runtime: dict[str, object] = field(default_factory=dict)  # how texts were encoded, and what a check of that found

    def to_json(self) -> dict[str, object]:
        """A plain object."""
        return asdict(self)
