"""What `shortlist start` was asked for, checked before anything is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backend.commands.start.label_studio import DEFAULT_VENV
from backend.commands.start.sample.file import SampleFile, read_sample
from backend.commands.start.sample.label_space import label_space, shipped_messages
from backend.errors import SampleError
from backend.settings import Settings
from model.labels import LabelSpace


@dataclass(frozen=True)
class Sample:
    """A file that was read, and its label space."""

    file: SampleFile
    space: LabelSpace
    by_people: bool = False  # its labels become annotations, rather than being kept for comparison

    @property
    def shipped(self) -> bool:
        """Whether it is the sample that comes with Shortlist."""
        return self.file.path == shipped_messages()

    @property
    def outside(self) -> int:
        """Texts with a label that the label space does not have."""
        return sum(any(label not in self.space for label in row.labels) for row in self.file.rows)


@dataclass(frozen=True)
class Plan:
    """Everything that the all-in-one command needs to know. `sample` is None where Label Studio is not started."""

    settings: Settings
    label_studio_port: int | None = None
    label_studio_venv: Path = DEFAULT_VENV
    sample: Sample | None = None


def read_plan_sample(name: str, labels: str, by_people: bool = False) -> Sample:
    """The sample called `name` on the command line; an empty name is the shipped one.

    Raises SampleError if the file cannot be used, labels are given for the shipped sample, or are to count as people's
    where there are none.
    """
    if not name and by_people:
        raise SampleError("LABELS_BY_PEOPLE goes with SAMPLE=<file>; no person labelled the shipped sample")
    if not name and labels:
        raise SampleError("LABELS goes with SAMPLE=<file>; the shipped sample has its own labels")
    file = read_sample(Path(name).expanduser().absolute() if name else shipped_messages())
    sample = Sample(file, label_space(file, labels), by_people)
    if by_people and sample.outside == sum(bool(row.labels) for row in file.rows):
        raise SampleError(
            f"{file.path} has no labels of the project's that could count as people's: leave LABELS_BY_PEOPLE away"
        )
    return sample
