import warnings
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from backend.commands.start.plan import read_plan_sample
from backend.commands.start.sample.file import read_sample
from backend.errors import SampleError

MESSAGES = [["text", "label"], ["The parcel is late again", "late"], ["The mug came in pieces", "broken"]]


def save(path: Path, **sheets: list[list[object]]) -> Workbook:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet: Worksheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return book


def test_the_first_sheet_is_read_and_the_others_named(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", Tickets=MESSAGES, Other=[["text", "label"], ["Not this one", "x"]])
    sample = read_sample(tmp_path / "a.xlsx")
    assert [(row.line, row.text, row.label) for row in sample.rows] == [
        (2, "The parcel is late again", "late"),
        (3, "The mug came in pieces", "broken"),
    ]
    assert sample.notes == ("read from sheet 'Tickets'; SAMPLE=a.xlsx#NAME reads another one: 'Other'",)


def test_a_sheet_can_be_named(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", Notes=[["nothing"]], **{"My tickets": MESSAGES})
    sample = read_plan_sample(str(tmp_path / "a.xlsx#my Tickets"), "").file
    assert sample.labels == ("broken", "late")
    assert sample.path == tmp_path / "a.xlsx"
    with pytest.raises(SampleError, match=r"a\.xlsx has no sheet 'Mine'; it has 'Notes', 'My tickets'"):
        read_sample(tmp_path / "a.xlsx#Mine")
    with pytest.raises(SampleError, match=r"sheet 'Notes' of .*a\.xlsx has no rows below a header; .*'My tickets'"):
        read_sample(tmp_path / "a.xlsx")


def test_a_hidden_sheet_is_not_the_first(tmp_path: Path) -> None:
    book = save(tmp_path / "a.xlsx", Secret=[["text"], ["Hidden from people"]], Tickets=MESSAGES)
    book["Secret"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    assert len(read_sample(tmp_path / "a.xlsx").rows) == 2


def test_cells_are_what_people_see_in_them(tmp_path: Path) -> None:
    rows: list[list[object]] = [["text", "label"]]
    labels = [1, 1.0, 2.5, datetime(2026, 1, 2), date(2026, 1, 2), datetime(2026, 1, 2, 3, 4), "#N/A", None, "['late']"]
    rows += [[f"message number {number}", label] for number, label in enumerate(labels)]
    rows += [[], [4711, "late"], [None, "late"]]
    save(tmp_path / "a.xlsx", Sheet=rows)
    sample = read_sample(tmp_path / "a.xlsx")
    told = ["1", "1", "2.5", "2026-01-02", "2026-01-02", "2026-01-02 03:04:00", "", "", "late", "late"]
    assert [row.label for row in sample.rows] == told
    assert (sample.rows[-1].line, sample.rows[-1].text) == (12, "4711")
    assert [str(bad) for bad in sample.bad] == ["line 13 skipped: no text in column 'text'"]


def test_a_title_above_the_header_and_merged_labels(tmp_path: Path) -> None:
    rows = [["Messages of 2026"], [], ["id", "Text", "Label"], [1, "It is late", "late"], [2, "Still late", None]]
    book = save(tmp_path / "a.xlsx", Sheet=[*rows, [3, "In pieces", "broken"]])
    book["Sheet"].merge_cells("A1:C1")
    book["Sheet"].merge_cells("C4:C5")
    book.save(tmp_path / "a.xlsx")
    sample = read_sample(tmp_path / "a.xlsx")
    assert [(row.line, row.label) for row in sample.rows] == [(4, "late"), (5, "late"), (6, "broken")]
    assert sample.notes == ("1 merged cells have the value of the first of them",)


def test_formulas_that_were_never_computed_are_told(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", Sheet=[*MESSAGES, ['=CONCATENATE("a","b")', "late"]])
    sample = read_sample(tmp_path / "a.xlsx")
    assert [bad.line for bad in sample.bad] == [4]
    assert sample.notes[0].startswith("1 formulas have no stored value; open the file in Excel and save it")


@pytest.mark.parametrize("content", [b"text,label\na,b\n", b"\xd0\xcf\x11\xe0" + b"x" * 99, b"PK\x03\x04" + b"x" * 99])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(SampleError, match=r"a\.xlsx is not a readable Excel workbook .* without a password"):
        read_sample(tmp_path / "a.xlsx")


def test_a_cut_off_workbook_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", Sheet=MESSAGES)
    content = (tmp_path / "a.xlsx").read_bytes()
    for size in range(0, len(content), 97):
        (tmp_path / "b.xlsx").write_bytes(content[:size])
        with pytest.raises(SampleError), warnings.catch_warnings(action="error"):
            read_sample(tmp_path / "b.xlsx")


def test_the_same_workbook_with_another_sheet_is_another_sample(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", One=MESSAGES, Two=MESSAGES)
    assert read_sample(tmp_path / "a.xlsx").digest != read_sample(tmp_path / "a.xlsx#Two").digest
