"""The benchmark of an LLM's shortlists: how answers are held to a schema, what is counted; without a model."""

from __future__ import annotations

import numpy as np
import pytest
import regex

from benchmarks.shared.small_llm import opening, pattern, shared_beginning
from benchmarks.teacher.content_free import pools, right, rows_of, shares_of, table
from benchmarks.teacher.llm import WAYS, figures
from model.labels import CandidateSet, LabelSpace
from model.teacher.base import Answer, State
from model.teacher.prompting.answers import parse, render, render_together
from model.teacher.prompting.prompts import Prompt, Strategy

SPACE = LabelSpace.of(["a.b", 'say "c"', "d"])


def test_the_form_allows_what_the_schema_does_and_no_more() -> None:
    schema = Prompt(SPACE, Strategy.ALL, 2).schema()
    form = regex.compile(pattern(schema))
    for labels in ([], ["d"], ['say "c"', "a.b"]):
        answer = render(labels)
        assert answer.startswith(opening(schema))
        assert form.fullmatch(answer)
        assert all(form.fullmatch(answer[:place], partial=True) for place in range(len(answer)))
        assert parse(answer, SPACE).labels == tuple(labels)
    assert not form.fullmatch(render(["d", "d", "d"]))
    assert not form.fullmatch('{"candidates": ["axb', partial=True)
    together = regex.compile(pattern(Prompt(SPACE, Strategy.SINGLE, 2).schema(together=2)))
    assert together.fullmatch(render_together([["d"], []]))
    assert not together.fullmatch(render_together([["d"], ["d"], ["d"]]))


def test_what_is_read_once_leaves_one_token_to_go_on_from() -> None:
    assert shared_beginning([[1, 2], [1, 2]]) == 1
    assert shared_beginning([[1], [1, 2]]) == 0
    assert shared_beginning([[1, 2, 3], []]) == 0


def test_a_text_without_an_answer_counts_as_wrong() -> None:
    said = [Answer(State.ANSWERED, CandidateSet(("d", "a.b")), ""), Answer(State.ANSWERED, CandidateSet(("d",)), ""),
            Answer(State.ABSTAINED, None, ""), Answer(State.UNPARSED, None, "x")]  # fmt: skip
    found = figures(said, ["a.b", "d", "d", "d"])
    assert (found["coverage"], found["top1"], found["set_size"]) == (0.5, 0.25, 1.5)
    assert (found["answered"], found["abstained"], found["unparsed"]) == (2, 1, 1)
    assert (found["covered"], found["hits"]) == ("1100", "0100")
    assert found["coverage_low"] < 0.5 < found["coverage_high"]


def test_every_way_has_a_name_of_its_own() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)


def test_a_preference_is_divided_away_where_content_free_inputs_tell_it(capsys: pytest.CaptureFixture[str]) -> None:
    gold = np.array([0, 1, 2, 0, 1, 2])
    said = [CandidateSet((SPACE.names[0], SPACE.names[label]) if label else (SPACE.names[0],)) for label in gold]
    shares, free = shares_of([*said[:-1], None], SPACE), shares_of([CandidateSet(("a.b",))] * 3, SPACE)
    assert np.allclose(shares.sum(1), 1)
    assert right(shares, None, gold)[:5].tolist() == [1, 0, 0, 1, 0]
    assert right(shares, free.mean(0), gold)[:5].all()
    assert all((gold[rows] == 0).mean() == 0.5 for rows in pools(gold, 3)[:20])
    rows = rows_of("six", SPACE, gold, shares, free)
    assert rows[0]["even"] < rows[1]["even"]
    assert "| six | 6 | content-free inputs |" in table(rows)
    assert "content-free inputs" in capsys.readouterr().out
