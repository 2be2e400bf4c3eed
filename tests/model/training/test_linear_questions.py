"""One linear head for several questions says what a head of each question's own rows says."""

from __future__ import annotations

import numpy as np
import torch

from model.groups import Group
from model.student.head import head_logits
from model.training.linear_head import linear_head
from model.training.linear_questions import linear_questions
from model.training.targets import SoftTargets

GROUPS = (Group("mood", "one", 0, 2), Group("why", "one", 2, 5), Group("other", "one", 5, 7))


def test_each_question_is_answered_as_by_its_own_head() -> None:
    random = np.random.default_rng(2)
    vectors = random.normal(size=(90, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = np.zeros((90, 7), np.float16)
    shares[np.arange(90), (vectors[:, 0] > 0).astype(int)] = 1.0
    shares[np.arange(90), 2 + vectors[:, 1:4].argmax(1)] = 1.0
    asked = np.flatnonzero(vectors[:, 0] > 0)
    head, strengths = linear_questions(
        vectors, shares, [(GROUPS[0], np.arange(90)), (GROUPS[1], asked)], np.arange(90) % 5
    )
    assert list(strengths) == ["mood", "why"]
    said = head_logits(head, vectors)
    for group, rows in ((GROUPS[0], np.arange(90)), (GROUPS[1], asked)):
        wanted = torch.from_numpy(shares[rows, group.columns].astype(np.float32))
        own = linear_head(vectors[rows], SoftTargets(wanted, torch.ones(len(rows))), strengths[group.name])
        assert np.allclose(said[:, group.columns], head_logits(own, vectors), atol=1e-4)
        assert (said[rows][:, group.columns].argmax(1) == wanted.numpy().argmax(1)).mean() > 0.9
    assert (said[:, 5:] == 0).all()
