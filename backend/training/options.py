"""From a project's options to those of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.project_options import ProjectOptions

if TYPE_CHECKING:
    from model.pairs import Pair
    from model.training.options import TrainingOptions


def training_options(options: ProjectOptions, threads: int, runtime: str, pair: Pair | None = None) -> TrainingOptions:
    """How the project's students are trained; `pair`: which two texts of a task are compared."""
    from model.training.options import TrainingOptions

    losses = options.FINETUNE_LOSSES.split("+")
    return TrainingOptions(
        method=options.STUDENT_METHOD,
        way=options.STUDENT_TRAINING,
        encoder=options.STUDENT_ENCODER,
        threads=threads,
        runtime=runtime,
        frequencies=options.FREQUENCIES,
        epochs=options.STUDENT_EPOCHS or None,
        consistency="consistency" in losses,
        mixup="mixup" in losses,
        augmentation=options.FINETUNE_AUGMENTATION,
        pair=pair,
        falling=options.GRADES == "falling",
    )
