"""From the labels of an existing classifier to the project's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.arrays import FloatArray
from model.errors import LabelSpaceError
from model.labels import LabelSpace


@dataclass(frozen=True)
class LabelMap:
    """An explicit, complete map: every label of the classifier has a label of the project, or None (it abstains)."""

    space: LabelSpace
    foreign: tuple[str, ...]
    targets: Mapping[str, str | None]

    def __post_init__(self) -> None:
        missing = [name for name in self.foreign if name not in self.targets]
        if missing:
            raise LabelSpaceError(
                f"the label map lacks {', '.join(map(repr, missing))} of the classifier's labels; "
                f"map each to one of {', '.join(self.space.names)} or to null"
            )
        surplus = [name for name in self.targets if name not in self.foreign]
        if surplus:
            raise LabelSpaceError(f"the classifier has no label {', '.join(map(repr, surplus))}")
        for name in self.targets.values():
            if name is not None:
                self.space.index(name)

    def apply(self, probabilities: FloatArray) -> FloatArray:
        """Foreign probabilities `(n, F)` as `(n, C)`, re-normalised over mapped labels; a row whose best foreign label
        is mapped to null becomes zeros: the member abstains."""
        found = np.zeros((len(probabilities), len(self.space)), np.float32)
        for column, name in enumerate(self.foreign):
            target = self.targets[name]
            if target is not None:
                found[:, self.space.index(target)] += probabilities[:, column]
        mapped = np.array([self.targets[name] is not None for name in self.foreign])
        if len(probabilities):
            found[~mapped[probabilities.argmax(axis=1)]] = 0.0
        mass = found.sum(axis=1, keepdims=True)
        shares: FloatArray = np.divide(found, mass, out=np.zeros_like(found), where=mass > 0)
        return shares
