"""Uneven pools and shortlists without confidences, made from a stored job."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.shared.datasets import Job, Part
from benchmarks.shared.uneven import MOSTLY, STEPS, UNEVEN, ordered, uneven, variants
from model.labels import CandidateSet, LabelSpace


def job(counts: list[int], confident: bool = True) -> Job:
    """So many rows of each label; the teacher says the label and another one."""
    names = [f"label {number}" for number in range(len(counts))]
    gold = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    others = [names[(names.index(label) + 1) % len(names)] for label in gold]
    shares = (0.7, 0.2) if confident else ()
    answers = tuple(CandidateSet(pair, shares) for pair in zip(gold, others, strict=True))
    votes = tuple((label, other) for label, other in zip(gold, others, strict=True))
    part = Part(tuple(f"text {row}" for row in range(len(gold))), tuple(gold), answers, tuple(gold), votes)
    return Job("set", "teacher", LabelSpace.of(names), part, part)


@given(st.lists(st.integers(120, 400), min_size=6, max_size=9), st.sampled_from(UNEVEN))
@settings(deadline=None, max_examples=40)
def test_labels_have_the_stated_shares_and_rows_stay_whole(counts: list[int], name: str) -> None:
    found = uneven(job(counts), name)
    assert found is not None
    assert found.name == f"teacher/set+{name}"
    assert len(set(found.train.texts)) == len(found.train)
    shares = sorted((count / len(found.train) for count in Counter(found.train.gold).values()), reverse=True)
    if name in MOSTLY:
        assert shares[0] == pytest.approx(MOSTLY[name], abs=0.04)
        assert len(shares) == len(counts)
    if name == "steps":
        assert shares == pytest.approx(STEPS, abs=0.02)
    if name == "zipf":
        assert shares[0] / shares[1] == pytest.approx(2, rel=0.1)
    whole = job(counts).train
    for row, text in enumerate(found.train.texts):
        before = whole.texts.index(text)
        assert found.train.gold[row] == whole.gold[before]
        assert found.train.answers[row] == whole.answers[before]
        assert found.train.votes[row] == whole.votes[before]
    assert uneven(job(counts), name) == found


def test_few_rows_or_labels_make_no_variant() -> None:
    assert uneven(job([30, 30]), "95") is None
    assert uneven(job([500, 500]), "steps") is None
    assert [one.variant for one in variants(job([500, 500]))] == ["order", "75", "85", "95"]


def test_the_order_alone_is_kept() -> None:
    found = ordered(job([50, 50]))
    assert found is not None
    assert all(one is not None and not one.confidences for one in found.train.answers)
    assert [one and one.labels for one in found.train.answers] == [
        one and one.labels for one in job([50, 50]).train.answers
    ]
    assert ordered(job([50, 50], confident=False)) is None
