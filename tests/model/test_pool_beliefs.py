"""What a training believes of its own texts goes before what a student tells from the text alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.decoding import NEVER, ticked
from model.groups import Group
from model.labels import Label, LabelSpace
from model.pool_beliefs import PoolBeliefs

LABELS = tuple(Label(name) for name in ("a=x", "a=y", "b=p", "b=q", "b=r"))
SPACE = LabelSpace(LABELS, "", "several", 1, (Group("a", "one", 0, 2), Group("b", "any", 2, 5, 0)))
BELIEVED = PoolBeliefs(
    SPACE,
    {"first": 0, "second": 1},
    np.array([[0.1, 0.9, 0.6, 0.4, 0.0], [0.5, 0.5, 1.0, 0.2, 0.5]], np.float16),
    np.array([[True, True], [False, True]]),
    np.full(5, 0.5, np.float32),
)
HEAD = np.array([[0.8, 0.2, 0.1, 0.9, 0.3]] * 3, np.float32)
LIMITS = np.array([0.5, 0.5, 0.2, 0.3, 0.95], np.float32)
TEXTS = ["second", "new", "first"]


def test_labels_are_ticked_where_they_are_believed_and_new_texts_stay_the_students() -> None:
    found = BELIEVED.over(TEXTS, HEAD, LIMITS)
    answers = [[SPACE.names[at] for at in row.nonzero()[0]] for row in ticked(SPACE, found, LIMITS)]
    assert answers == [["a=x", "b=p", "b=r"], ["a=x", "b=q"], ["a=y", "b=p"]]  # of "second" only b is known
    assert (found[1] == HEAD[1]).all()
    assert found.dtype == np.float32
    assert ((found >= 0) & (found <= 1)).all()
    assert (HEAD[0] == HEAD).all()  # what was given is not changed


def test_a_label_is_believed_from_its_own_limit_on() -> None:
    lower = replace(BELIEVED, limits=np.array([0.5, 0.5, 0.7, 0.3, 0.5], np.float32))
    found = ticked(SPACE, lower.over(TEXTS, HEAD, LIMITS), LIMITS)
    assert found[:, 2:].tolist() == [[True, False, True], [False, True, False], [False, True, False]]


def test_a_question_that_is_left_to_the_teacher_stays_so() -> None:
    limits = np.array([NEVER, NEVER, 0.2, 0.3, 0.95], np.float32)
    found = BELIEVED.over(TEXTS, HEAD, limits)
    assert (found[:, :2] == HEAD[:, :2]).all()
    assert not ticked(SPACE, found, limits)[:, :2].any()
