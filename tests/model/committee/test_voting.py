"""Votes: acceptance, ties, abstentions, union."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.arrays import FloatArray
from model.committee.voting import KOfN, Weighted, tally, union_of_votes
from model.labels import LabelSpace

SPACE = LabelSpace.of("abc")


def votes(*labels: str, sure: float = 0.8) -> FloatArray:
    """Members' probabilities `(k, 1, 3)` for one task; `-` abstains."""
    rows = [[0.0 if label == "-" else sure if name == label else (1 - sure) / 2 for name in "abc"] for label in labels]
    return np.array(rows, np.float32)[:, None, :]


@pytest.mark.parametrize(
    ("cast", "accept_at", "expected"),
    [
        ("aaa", 3, 0),
        ("aab", 3, -1),
        ("aab", 2, 0),
        ("abc", 3, -1),
        ("abc", 2, -1),
        ("aabb", 3, -1),
        ("aa-", 3, -1),
        ("aa-", 2, 0),
        ("---", 2, -1),
    ],
)
def test_k_of_n(cast: str, accept_at: int, expected: int) -> None:
    assert KOfN(len(cast), accept_at).accepted(tally(votes(*cast))).tolist() == [expected]


@pytest.mark.parametrize(("members", "accept_at"), [(4, 2), (3, 1), (3, 4), (2, 1)])
def test_what_is_no_strict_majority_is_refused(members: int, accept_at: int) -> None:
    with pytest.raises(ValueError, match="strict majority"):
        KOfN(members, accept_at)


def test_low_confidence_is_reviewed_although_all_agree() -> None:
    rule = KOfN(3, 3, min_confidence=0.7)
    assert rule.accepted(tally(votes("a", "a", "a", sure=0.8))).tolist() == [0]
    assert rule.accepted(tally(votes("a", "a", "a", sure=0.6))).tolist() == [-1]


def test_ties_and_abstentions_are_explicit() -> None:
    found = tally(np.concatenate([votes(*"ab-"), votes(*"aab"), votes(*"---")], axis=1))
    assert found.tied.tolist() == [True, False, False]
    assert found.top.tolist() == [0, 0, -1]
    assert found.count.tolist() == [1, 2, 0]
    assert found.votes[:, 0].tolist() == [0, 1, -1]
    assert found.confidence[0] == pytest.approx((0.8 + 0.1) / 2)


@given(st.lists(st.sampled_from("abc-"), min_size=3, max_size=6), st.randoms())
def test_order_of_members_does_not_matter_and_acceptance_needs_the_votes(cast: list[str], shuffle: object) -> None:
    order = sorted(range(len(cast)), key=lambda place: (cast[place], place))
    first, second = tally(votes(*cast)), tally(votes(*[cast[place] for place in order]))
    for accept_at in range(len(cast) // 2 + 1, len(cast) + 1):
        rule = KOfN(len(cast), accept_at)
        label = int(rule.accepted(first)[0])
        assert rule.accepted(second).tolist() == [label]
        assert label < 0 or cast.count("abc"[label]) >= accept_at


def test_weighted_votes_accept_by_calibrated_probability() -> None:
    posterior = np.array([[0.9, 0.1, 0], [0.5, 0.3, 0.2]], np.float32)
    assert Weighted(0.8).accepted(posterior).tolist() == [0, -1]


def test_union_is_ordered_by_weight_and_names_voted_labels_only() -> None:
    found = union_of_votes(votes(*"baa"), SPACE)[0]
    assert found is not None
    assert found.labels == ("a", "b")
    assert sum(found.confidences) == pytest.approx(1.0)
    heavy = union_of_votes(votes(*"baa"), SPACE, np.array([5, 1, 1], np.float32))[0]
    assert heavy is not None
    assert heavy.labels == ("b", "a")
    assert union_of_votes(votes(*"---"), SPACE) == [None]


def test_levels_in_order_are_voted_for_by_the_median() -> None:
    three = np.array([[[0.4, 0.3, 0.3]], [[0.1, 0.8, 0.1]], [[0.0, 0.0, 0.0]]], np.float32)
    assert tally(three).votes.tolist() == [[0], [1], [-1]]
    assert tally(three, "ordered").votes.tolist() == [[1], [1], [-1]]
    levels = LabelSpace(SPACE.labels, answer="ordered")
    found = union_of_votes(three, levels)[0]
    assert found is not None
    assert found.labels == (SPACE.names[1],)
