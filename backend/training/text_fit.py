"""Do the project's texts fit its encoder? Told at every training, for the page, the report and the doctor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.training.options import TrainingReport

LETTERS = 4  # characters of a token, about: what is cut is told in tenths


def text_fit(report: TrainingReport, texts: Sequence[str]) -> dict[str, object]:
    """`encoder`; `foreign`: share of texts whose words the encoder does not know (None: not told); `cut`: share of
    texts of which the student that was trained reads the beginning only."""
    from model.encoder.vocabulary import foreign_share

    encoder, longest = str(report.settings["encoder"]), int(str(report.settings["longest"]))
    long = sum(len(text) > LETTERS * longest for text in texts) if report.way == "finetune" else 0
    return {
        "encoder": encoder,
        "foreign": foreign_share(encoder, texts),
        "cut": round(long / max(1, len(texts)), 2),
    }
