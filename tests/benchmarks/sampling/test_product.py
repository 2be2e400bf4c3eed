"""The sampling benchmark with the product's student: what it learns from, and what the rest of a pool adds."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sampling.product import REST, markdown, summary, teacher_of, training_data, with_rest
from benchmarks.sampling.run import EVERYTHING, Draw
from benchmarks.sampling.splits import Split, Texts
from model.acquisition.rules import DEFAULT
from tests.support.toys import Toy


def drawn(shifted: bool = True, labeller: str = "llm") -> Draw:
    """40 source texts, 60 of the pool, 60 of the test part; the labeller says the truth with 0.7."""
    toy = Toy(rows=160)
    said = (0.7 * np.eye(4)[toy.labels] + 0.3 * np.eye(4)[(toy.labels + 1) % 4]).astype(np.float32)
    parts = [
        Texts(toy.texts[a:b], toy.labels[a:b], said[a:b], [""] * (b - a)) for a, b in ((0, 40), (40, 100), (100, 160))
    ]
    split = Split("toy/topics", shifted, labeller, toy.space, *parts)
    vectors = [toy.embed(part.texts) for part in parts]
    return Draw(split, 0, parts[0], parts[1], vectors[0], vectors[1], vectors[2], parts[2].gold, vectors[0][:4])


@pytest.mark.parametrize(
    ("shifted", "labeller", "people"),
    [(True, "llm", [True, False]), (False, "llm", [False, False]), (False, "gold", [True, True])],
)
def test_the_source_is_labelled_by_people_and_the_pool_by_its_labeller(
    shifted: bool, labeller: str, people: list[bool]
) -> None:
    bought = np.array([3, 50])
    data = training_data(drawn(shifted, labeller), bought, rest=True)
    assert data.human.tolist() == [people[0]] * 40 + [people[1]] * 2
    assert data.texts[40:] == ["text 43", "text 90"]
    assert len(data.unlabelled) == 58
    assert "text 43" not in data.unlabelled
    assert (data.first[data.human] == -1).all()
    assert (data.confidences is None) == all(people)
    assert training_data(drawn(), bought, rest=False).unlabelled == []


def test_the_rest_takes_part_where_the_method_says_so() -> None:
    here, bought = drawn(shifted=False), np.arange(5)
    plain, more = (teacher_of(method)(here, bought)(here.test_vectors) for method in with_rest([DEFAULT]))
    assert not np.array_equal(plain, more)
    np.testing.assert_allclose(more.sum(axis=1), 1, atol=1e-5)


def test_what_the_rest_adds_is_told_by_budget_and_where_it_adds_least() -> None:
    rows = [
        {"split": split, "labeller": "llm", "shifted": True, "method": method, "budget": budget, "seed": seed,
         "accuracy": 0.6 + gain * (method != DEFAULT), "pool_accuracy": 0.7 + 0.03 * (method != DEFAULT)}
        for split, gain in (("x", 0.02), ("y", -0.01))
        for seed in (0, 1)
        for method in (DEFAULT, DEFAULT + REST)
        for budget in (0.0, 0.01, 0.2)
    ]  # fmt: skip
    most = [{**row, "method": EVERYTHING, "budget": 1.0, "accuracy": 0.8} for row in rows]
    (line,) = summary([*rows, *most])
    assert (line["method"], line["group"], line["splits"]) == (DEFAULT, "shifted, LLM labels", 2)
    assert line["gains"] == {"1%": pytest.approx(0.5), "20%": pytest.approx(0.5)}
    assert line["lowest"] == ["llm y", pytest.approx(-1.0)]
    assert line["shares"] == pytest.approx([0.75, 0.75625])
    assert "| llm y -1.00 | +3.00 (+3.00 to +3.00) | 75.0 % → 75.6 % |" in markdown([line])
