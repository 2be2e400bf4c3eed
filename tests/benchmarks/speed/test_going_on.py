"""Going on is compared with beginning anew on the same labels, and a pool too small for it is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.shared.datasets import Job, Part
from benchmarks.speed import going_on
from benchmarks.speed.going_on import Material, going_on_rows
from model.labels import CandidateSet, LabelSpace
from tests.support.embedding import embed_words

SPACE = LabelSpace.of(["billing", "refund"], scope="label/Choices/text")


def part(rows: int) -> Part:
    gold = tuple(SPACE.names[place % 2] for place in range(rows))
    texts = tuple(f"{label} of order {place}" for place, label in enumerate(gold))
    sets = tuple(
        CandidateSet((label,)) if place % 10 else CandidateSet(("refund",)) for place, label in enumerate(gold)
    )
    return Part(texts, gold, sets, gold)


def material(rows: int) -> Material:
    job = Job("orders", "similarity", SPACE, part(rows), part(40))
    pool, new = (np.array([SPACE.index(label) for label in one.gold]) for one in (job.train, job.test))
    return Material(job, embed_words, pool, new)


def test_both_ways_end_with_the_same_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(going_on, "_material", lambda *_: material(4_000))
    rows, summary = going_on_rows(Path(), 1)
    shares = {(row["what"], row["method"]): row["value"] for row in rows}
    for what in ("pool", "new texts"):
        change = shares[f"accuracy, {what}", "going on"] - shares[f"accuracy, {what}", "from scratch"]
        assert shares[f"change, {what}", "going on"] == change
    assert summary["going_on_accuracy"] == shares["change, pool", "going on"]
    assert min(value for (what, _), value in shares.items() if what.startswith("accuracy")) > 0.9
    assert summary["going_on_speed"] > 0


def test_a_pool_of_which_every_training_begins_anew_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(going_on, "_material", lambda *_: material(200))
    with pytest.raises(RuntimeError, match="too small"):
        going_on_rows(Path(), 1)
