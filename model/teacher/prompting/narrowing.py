"""Large label spaces: show an LLM the labels that are near the text instead of all of them.

Providers read a cached prefix at a tenth of the price or less, so that all labels in the prefix are usually cheaper
than they look, and they lose no coverage. Only where the list is longer than LONGEST_LIST is it narrowed by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.arrays import Embed
from model.labels import Label, LabelSpace
from model.teacher.errors import TeacherRefused
from model.teacher.prompting.prompts import label_line
from model.teacher.prompting.tokens import estimate_tokens
from model.teacher.similarity import SimilarityTeacher

LONGEST_LIST = 4_000  # tokens of label lines that are shown as a whole
SHOWN = 30  # labels that are shown else


class Narrowing:
    """The `shown` labels nearest to each text, in the order of the label space, so that no order suggests an answer."""

    def __init__(self, space: LabelSpace, embed: Embed, shown: int) -> None:
        self.space, self.shown = space, shown
        self._similarity = SimilarityTeacher(space, embed)

    def labels(self, texts: Sequence[str]) -> list[list[Label]]:
        """For each text the labels to show."""
        import numpy as np

        order = np.argsort(-self._similarity.probabilities(texts), axis=1, kind="stable")[:, : self.shown]
        return [[self.space.labels[place] for place in sorted(row)] for row in order]


def shown_labels(space: LabelSpace, setting: str = "auto") -> int:
    """How many labels are shown: all of them, or fewer. `setting` is `auto`, `off` or a number. Of several questions
    all are: the labels nearest to a text could be those of one of them."""
    if setting == "off" or space.questions:
        return len(space)
    if setting != "auto":
        if not setting.isdecimal() or int(setting) < 2:
            raise TeacherRefused(f"the number of labels shown is {setting!r}; allowed are auto, off, or 2 and more")
        return min(len(space), int(setting))
    length = sum(estimate_tokens(label_line(label)) for label in space.labels)
    return len(space) if length <= LONGEST_LIST else min(SHOWN, len(space))
