"""From a project's options to those of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.project_options import ProjectOptions

if TYPE_CHECKING:
    from model.training.options import TrainingOptions


def training_options(options: ProjectOptions, threads: int, runtime: str) -> TrainingOptions:
    """How the project's students are trained."""
    from model.training.options import TrainingOptions

    losses = options.FINETUNE_LOSSES.split("+")
    return TrainingOptions(
        method=options.STUDENT_METHOD,
        way=options.STUDENT_TRAINING,
        encoder=options.STUDENT_ENCODER,
        threads=threads,
        runtime=runtime,
        epochs=options.STUDENT_EPOCHS or None,
        consistency="consistency" in losses,
        mixup="mixup" in losses,
        augmentation=options.FINETUNE_AUGMENTATION,
    )
