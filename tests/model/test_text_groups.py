"""Rows of one text are never on both sides of a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.student.adapted import AdaptedEncoder
from model.text_groups import folds, text_groups, text_key


def test_case_spaces_and_forms_do_not_part_texts() -> None:
    texts = ["Where is it?", "no", "  where IS\tit? ", "ＷＨＥＲＥ is it?", "Straße", "STRASSE"]
    assert text_groups(texts).tolist() == [0, 1, 0, 0, 4, 4]


def test_near_duplicates_are_joined_and_so_is_what_they_join() -> None:
    angles = np.array([0.0, 0.15, 0.3, 1.5])  # cosine of 0.15: .989, of 0.3: .955
    vectors = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    assert text_groups(list("abcd"), vectors).tolist() == [0, 0, 0, 3]
    assert text_groups(list("abca"), vectors[[0, 2, 3, 0]]).tolist() == [0, 1, 2, 0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=60), st.integers(2, 5), st.integers(0, 99))
def test_folds_never_part_a_group_and_are_about_equal(groups: list[int], count: int, seed: int) -> None:
    fold_of = folds(np.array(groups), count, seed)
    assert all(len(set(fold_of[np.array(groups) == group])) == 1 for group in groups)
    largest = max(groups.count(group) for group in groups)
    sizes = np.bincount(fold_of, minlength=count)
    assert sizes.max() - sizes.min() <= largest


def test_an_encoder_knows_other_forms_of_a_text_that_it_has_seen() -> None:
    own = AdaptedEncoder(Path(), frozenset({text_key("Where is it?")}))
    assert own.knows(["where is  IT?", "elsewhere"]).tolist() == [True, False]
