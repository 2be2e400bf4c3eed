"""A share of tasks is shown without an answer, and the figures on them are kept apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.pool import predictions
from backend.pool.set_aside import is_blind
from backend.pool.shown import reaction
from backend.pool.text import text_hash
from backend.serving.answers import hide
from tests.support.web_server import Server

BLIND = [task for task in range(1, 400) if is_blind(7, task, 0.05)]
OPEN = [task for task in range(1, 400) if not is_blind(7, task, 0.05)]


@given(project=st.integers(1, 10**6), share=st.sampled_from([0.0, 0.05, 0.5, 1.0]))
def test_the_share_is_kept_and_grows_without_changing_sides(project: int, share: float) -> None:
    blind = {task for task in range(2000) if is_blind(project, task, share)}
    assert abs(len(blind) / 2000 - share) < 0.06
    assert blind <= {task for task in range(2000) if is_blind(project, task, min(1.0, share + 0.1))}


def test_only_the_answer_is_hidden() -> None:
    entry = {"model_version": "student-1-x", "score": 0.7, "result": [{"value": {"choices": ["a"]}}]}
    shown = hide({BLIND[0]: entry, OPEN[0]: entry}, 7, 0.05)
    assert shown[OPEN[0]] == entry
    assert shown[BLIND[0]] == {"model_version": "student-1-x", "score": 0.7, "result": []}
    assert hide({BLIND[0]: entry}, 7, 0.0) == {BLIND[0]: entry}


@pytest.mark.parametrize(
    ("shown", "decided", "expected"),
    [("ab", "ba", "accepted"), ("ab", "a", "narrowed"), ("a", "ab", "extended"), ("ab", "c", "corrected"),
     ("ab", "bc", "corrected")],
)  # fmt: skip
def test_what_people_made_of_what_they_were_shown(shown: str, decided: str, expected: str) -> None:
    assert reaction(tuple(shown), tuple(decided)) == expected


def test_blind_tasks_are_measured_apart(serve: Callable[..., Server]) -> None:
    server = serve(BLIND_SHARE=0.05)
    server.version()
    chosen = dict.fromkeys([*BLIND[:4], *OPEN[:4]], "where is my parcel")
    server.answered(chosen, ["refund", "billing"])
    version = server.promote()
    rows = [(task, text_hash(text), "refund", 0.8) for task, text in chosen.items()]
    predictions.save(server.services.engine, 7, version, rows)
    entries = dict(zip(chosen, server.predict(chosen), strict=True))
    for task in chosen:
        assert (entries[task]["model_version"], entries[task]["score"]) == (version, 0.8)
        assert bool(entries[task]["result"]) == (task in OPEN)
    for place, task in enumerate(chosen):
        entry = {"id": task, **entries[task]}
        server.label(task, "refund" if place % 2 else "other", text=chosen[task], prediction=entry)
    status = server.get("/projects/7.json").json()
    assert status["student"]["blind"] == {"accuracy": 0.5, "human_checked": 4}
    assert (status["student"]["accuracy"], status["student"]["human_checked"]) == (0.5, 4)
    assert status["teacher"]["blind"] == {"coverage": 0.5, "top1_accuracy": 0.5, "human_checked": 4}
    assert status["shown"]["student"] == {
        "tasks": 4, "accepted": 0.5, "narrowed": 0.0, "extended": 0.0, "corrected": 0.5,
    }  # fmt: skip
    assert status["shown"]["teacher"]["tasks"] == 0
    assert status["blind_share"] == 0.05
