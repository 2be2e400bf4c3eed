"""Tables of a page go into the JSON beside it, and from there into the page."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.shared import tables

PAGE = "# Title\n\n<!-- one -->\nold\n<!-- end of one -->\n\nprose\n\n<!-- two, all -->\n<!-- end of two, all -->\n"
ONE = "| set | share | change |\n|---|---|---|\n| a | 0.50 | +1.0 |\n| b | 12.25 | -1.0 |\n\nMean: 3."


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page with two blocks and no data yet."""
    (tmp_path / "page.md").write_text(PAGE)
    return tmp_path / "page.md"


def test_figures_go_into_the_json_and_from_there_into_the_page(page: Path) -> None:
    tables.keep(page, {"one": ONE, "two, all": "### Only words"})
    data = json.loads(page.with_suffix(".json").read_text())
    assert data["captions"] == {"one": "Mean: 3.", "two, all": "Only words"}
    assert data["rows"][1] == {"table": "one", "set": "b", "share": "12.25", "change": "-1.0"}
    text = page.read_text()
    assert "<!-- one -->\n\nMean: 3.\n\n| set | share | change |\n" in text
    assert "| a | 0.50 | +1.0 |" in text
    assert "old" not in text
    assert "prose" in text
    tables.keep(page, {"two, all": "| x |\n|---|\n| 7 |", "one": "| set | share |\n|---|---|\n"})
    kept = json.loads(page.with_suffix(".json").read_text())
    assert [row["table"] for row in kept["rows"]] == ["one", "one", "two, all"]  # an empty table replaces none
    assert kept["rows"][2]["x"] == 7
    assert "Only words" not in page.read_text()


def test_a_page_and_its_data_have_the_same_tables(page: Path) -> None:
    with pytest.raises(ValueError, match="in one of them only: three, two, all"):
        tables.keep(page, {"one": ONE, "three": ONE})
    assert page.read_text() == PAGE
    assert not page.with_suffix(".json").exists()


@pytest.mark.parametrize(
    "markdown",
    [
        pytest.param("| a | a |\n|---|---|\n| 1 | 2 |", id="two columns of one title"),
        pytest.param("| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |", id="two tables"),
        pytest.param("| a | b |\n|---|---|\n| 1 |", id="a cell is missing"),
    ],
)
def test_what_is_no_table_with_rows_of_its_own_is_refused(markdown: str) -> None:
    with pytest.raises(ValueError, match="title"):
        tables.read(markdown)


CELL = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.text(st.characters(codec="utf-8", exclude_characters="|\\-:", exclude_categories=["C", "Z"])),
    st.sampled_from(["", "+1.0", "0.50", "007", "-0", "1e5", "a \\| b", "79.1 ± 0.6"]),
)


@given(st.lists(st.tuples(CELL, CELL), min_size=1))
def test_what_is_read_is_shown_as_it_was(lines: list[tuple[str, str]]) -> None:
    table = "\n".join(["| one | two |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in [("x", "1"), *lines])])
    _, rows = tables.read(table)
    assert tables.shown(json.loads(json.dumps(rows))) == table


def test_the_check_finds_a_page_that_was_edited_by_hand(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "EVIDENCE", page.parent)
    tables.keep(page, {"one": ONE, "two, all": "Only words"})
    monkeypatch.setattr(sys, "argv", ["tables", "--check"])
    assert tables.main() == 0
    right = page.read_text()
    page.write_text(right.replace("0.50", "0.90"))
    assert tables.main() == 1
    assert "page.md is out of date" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["tables"])
    assert tables.main() == 0
    assert page.read_text() == right


def test_the_summary_of_a_run_becomes_a_table(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables.keep(page, {"one": ONE, "two, all": "Only words"})
    run = page.with_name("run.json")
    run.write_text(json.dumps({"summary": {"lost": 0, "memory_mb": {"web": 1234.5}, "served": "x", "equal": True}}))
    monkeypatch.setattr(sys, "argv", ["tables", f"one={run}", "--into", str(page)])
    assert tables.main() == 0
    assert "| what | measured |\n| --- | --- |\n| lost | 0 |\n| memory mb: web | 1,234.5 |\n\n" in page.read_text()
