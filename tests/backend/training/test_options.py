"""What a project sets reaches its trainings."""

from __future__ import annotations

import pytest

from backend.errors import SettingsError
from backend.settings import Settings
from backend.training.options import training_options
from model.training.options import METHODS, TrainingOptions


def test_defaults_are_those_of_the_training() -> None:
    found = training_options(Settings(_env_file=None).for_project(None), 2, "auto")
    assert found == TrainingOptions(threads=2, runtime="auto")


@pytest.mark.parametrize("method", [one for one in METHODS if one != "gold"])
def test_a_project_chooses_the_method_by_its_name(method: str) -> None:
    settings = Settings(_env_file=None)
    assert training_options(settings.for_project({"STUDENT_METHOD": method}), 1, "auto").method == method
    with pytest.raises(SettingsError, match="STUDENT_METHOD"):
        settings.for_project({"STUDENT_METHOD": "gold"})


def test_a_project_chooses_losses_wordings_and_length() -> None:
    chosen = {"STUDENT_TRAINING": "finetune", "STUDENT_EPOCHS": 3, "FINETUNE_AUGMENTATION": "back-translation"}
    settings = Settings(_env_file=None)
    for losses, expected in {
        "mixup": (False, True),
        "consistency": (True, False),
        "consistency+mixup": (True, True),
    }.items():
        found = training_options(settings.for_project({**chosen, "FINETUNE_LOSSES": losses}), 1, "float32")
        assert (found.consistency, found.mixup) == expected
        assert (found.way, found.epochs, found.augmentation) == ("finetune", 3, "back-translation")
    with pytest.raises(SettingsError, match="FINETUNE_LOSSES"):
        settings.for_project({"FINETUNE_LOSSES": "both"})
