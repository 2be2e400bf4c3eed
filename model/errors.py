"""Errors of the learning half.

ModelError
├── LabelSpaceError       a label is unknown, doubled or empty; names it and the known ones
├── NotEnoughDataError    too little was decided to train or calibrate; says how much is missing
├── TrainingError         training cannot go on (non-finite loss); names the rows
├── TrainingStopped       somebody asked the training to stop; nothing was saved
├── ArtifactError         a stored student cannot be saved or loaded; names the file and the field
├── EncoderError          the encoder's weights cannot be loaded; names the setting
└── TeacherError          the teacher cannot answer at all
    ├── TeacherUnavailable    overload, time-out, lost connection: trying later may help
    │   └── TeacherUnheard        no answer came, so that the server may have received what was sent
    └── TeacherRefused        wrong key, no money, unknown model: trying again does not help
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


class ModelError(Exception):
    """Base of everything that the learning half raises on purpose."""


class LabelSpaceError(ModelError):
    """A label is unknown, doubled or empty."""


class NotEnoughDataError(ModelError):
    """Too little was decided to train or to calibrate."""


class TrainingError(ModelError):
    """Training cannot go on, for example after a non-finite loss."""


class TrainingStopped(ModelError):
    """Somebody asked the training to stop."""


class ArtifactError(ModelError):
    """A stored student cannot be saved or loaded."""


class EncoderError(ModelError):
    """The encoder's weights cannot be loaded."""
