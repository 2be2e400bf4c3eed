import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.commands.start.sample.file import read_sample
from backend.commands.start.sample.label_cell import UnreadableLabel, labels_of

NAN = float("nan")


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("late", ("late",)),
        ("  late \n again ", ("late again",)),
        (["late"], ("late",)),
        (["late", "broken", "late"], ("late", "broken")),
        ({"choices": ["late"]}, ("late",)),
        ('{"choices": ["late"]}', ("late",)),
        ('{"choices": ["late", "broken"]}', ("late", "broken")),
        ('[{"choices": ["late"]}]', ("late",)),
        ("{'choices': ['late']}", ("late",)),
        ('["late"]', ("late",)),
        ("['late']", ("late",)),
        ("['late' 'broken']", ("late", "broken")),
        ("('late',)", ("late",)),
        ("{'late'}", ("late",)),
        ("[late, too late]", ("late", "too late")),
        ('{late,"too late"}', ("late", "too late")),
        ('"late"', ("late",)),
        ({"taxonomy": [["money", "in"], ["parcel"]]}, ("money / in", "parcel")),
        ([["money", "in"]], ("money / in",)),
        ([{"label": "late", "score": 0.5}], ("late",)),
        ({"id": 3, "name": "late"}, ("late",)),
        (1, ("1",)),
        (1.0, ("1",)),
        ("1.0", ("1",)),
        ("1.50", ("1.50",)),
        ([1.0, "1"], ("1",)),
        ("(late)", ("(late)",)),
        ("none", ("none",)),
    ],
)
def test_names_are_told_in_every_form_that_tools_write(cell: object, labels: tuple[str, ...]) -> None:
    assert labels_of(cell) == labels


@pytest.mark.parametrize(
    "cell", [None, "", "  ", NAN, "nan", "NaN", "N/A", "#N/A", "<NA>", "null", [], {}, "[]", "[nan]"]
)
def test_what_says_that_there_is_nothing_is_no_label(cell: object) -> None:
    assert labels_of(cell) == ()


@pytest.mark.parametrize(
    "cell",
    [
        '{"choices": ["late", "bro',
        {"start": 0, "end": 3, "labels": ["PER"]},
        '[{"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}]',
        [[0, 4, "PER"]],
        {"late": True, "broken": False},
        "array(['late'], dtype=object)",
        "[" * 5000,
        "late [EU]",
    ],
)
def test_what_holds_no_name_is_told_and_gives_none(cell: object) -> None:
    with pytest.raises(UnreadableLabel):
        labels_of(cell)


NAMES = st.sampled_from(["late", "broken", "nan", "NaN", "1.0", "[x", "{y}", "a, b", "it's", 'the "x"', ""]) | st.text(
    max_size=6
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | NAMES
KEYS = st.sampled_from(["choices", "taxonomy", "label", "labels", "value", "name", "start", "x"]) | st.text(max_size=3)
STRUCTURES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3) | inner.map(json.dumps)
    | inner.map(str),
    max_leaves=12,
)  # fmt: skip


@given(cells=st.lists(STRUCTURES, min_size=1, max_size=6))
@settings(deadline=None, max_examples=100)
def test_no_label_is_ever_called_by_a_piece_of_a_structure(
    tmp_path_factory: pytest.TempPathFactory, cells: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("cells")
    with (folder / "a.jsonl").open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(json.dumps({"text": "some words", "label": cell}) + "\n" for cell in ["first", *cells])
    with (folder / "a.csv").open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for cell in ["first", *cells]:
            as_cell = cell if isinstance(cell, str) else json.dumps(cell)
            rows.writerow(["some words", as_cell.encode("utf-8", errors="ignore").decode().replace("\0", "")])
    for name in ("a.jsonl", "a.csv"):
        for label in read_sample(folder / name).labels:
            assert not any(mark in label for mark in "[]{}"), label
            assert label.strip()
            assert label.lower() not in ("nan", "null")


def test_cells_without_a_name_are_told_and_several_labels_stay_together(tmp_path: Path) -> None:
    rows = ['{"text": "a b", "label": ["late", "broken"]}', '{"text": "c d", "label": [[0, 4, "PER"]]}']
    (tmp_path / "a.jsonl").write_text("\n".join([*rows, '{"text": "e f", "label": {"choices": ["late"]}}']))
    sample = read_sample(tmp_path / "a.jsonl")
    assert [(row.label, row.narrowed) for row in sample.rows] == [("", ("late", "broken")), ("", ()), ("late", ())]
    assert sample.labels == ("broken", "late")
    assert sample.notes == (
        "1 of 3 texts have several labels, such as late, broken; these stay together",
        "1 label cells hold no name that can be read, their texts have no label: line 2: [0, 4, 'PER']",
    )


def test_one_and_one_point_zero_are_one_label_and_nan_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na b,1\nc d,1.0\ne f,nan\nnan,2\ng h,\ni j,2.0\n")
    sample = read_sample(tmp_path / "a.csv")
    assert [(row.line, row.label) for row in sample.rows] == [(2, "1"), (3, "1"), (4, ""), (6, ""), (7, "2")]
    assert [str(bad) for bad in sample.bad] == ["line 5 skipped: no text in column 'text'"]
