from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.commands.start.sample.file import read_sample
from backend.errors import SampleError

NEVER = 'a quotation mark opens here and never closes; write "" for one that belongs to the text'


def write(folder: Path, content: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffsep=;\r\ntext;label\r\nlate, again;late\r\nin pieces;broken\r\n",
        '"sep=;"\ntext;label\nlate, again;late\nin pieces;broken\n',
        "SEP=|\ntext|label\nlate, again|late\nin pieces|broken\n",
        "sep=\t\ntext\tlabel\nlate, again\tlate\nin pieces\tbroken\n",
    ],
)
def test_a_first_line_that_names_the_separator_is_no_header(tmp_path: Path, content: str) -> None:
    sample = read_sample(write(tmp_path, content))
    assert [(row.line, row.text, row.label) for row in sample.rows] == [
        (3, "late, again", "late"),
        (4, "in pieces", "broken"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        '"text (a, b, c)";"label"\n"late; no, again";late\n',
        'id;"text (a, b, c, or, d)";label\n1;late, again;late\n2;"in, pieces";broken\n',
        "text (a, b, c);label\nlate, again;late\nin pieces;broken\n",
        '"text; or message",label\n"late; again",late\n',
    ],
)
def test_separators_within_a_header_do_not_count(tmp_path: Path, content: str) -> None:
    sample = read_sample(write(tmp_path, content))
    assert sample.columns.text.startswith("text")
    assert sample.columns.label == "label"
    assert sample.rows[0].label == "late"


@pytest.mark.parametrize("marks", ["\ufeff\ufeff", "\ufeff\ufeff\ufeff"])
def test_byte_order_marks_that_were_doubled_belong_to_no_name(tmp_path: Path, marks: str) -> None:
    sample = read_sample(write(tmp_path, f'{marks}"text","label"\n"late, again",late\n{marks}in pieces,broken\n'))
    assert (sample.columns.text, sample.columns.label) == ("text", "label")
    assert [row.text for row in sample.rows] == ["late, again", "in pieces"]


def test_of_two_columns_with_one_name_the_first_is_read_and_that_is_said(tmp_path: Path) -> None:
    sample = read_sample(write(tmp_path, "text,label,text,label\nlate again,late,note,x\nin pieces,broken,,\n"))
    assert [(row.text, row.label) for row in sample.rows] == [("late again", "late"), ("in pieces", "broken")]
    assert sample.notes == (
        "'text' is the name of 2 columns; the first of them is read",
        "'label' is the name of 2 columns; the first of them is read",
    )


def test_a_header_that_comes_again_is_no_text(tmp_path: Path) -> None:
    sample = read_sample(write(tmp_path, "text,label\nlate again,late\ntext,label\nin pieces,broken\n"))
    assert [row.line for row in sample.rows] == [2, 4]
    assert [str(bad) for bad in sample.bad] == ["line 3 skipped: the header once more"]


@pytest.mark.parametrize(
    ("rows", "opened"),
    [
        (['"The mug came,broken', "Where is it,late", '"The ""nice"" box",broken', "Still here,late"], [2]),
        (["Where is it,late", "Still here,late", '"The mug came,broken'], [4]),
        (["Where is it,late", '"The mug came,broken'], [3]),
        (['The mug came,"broken', "Where is it,late", '"Say ""x"", now",late'], [2]),
        (['"The mug came,broken', "Where is it,late", 'A screen of 5",broken', "And more,late", "x y,broken"], [2]),
        (['"One,late', '"Two,late', "Three,late", '"Four, five",late'], [2, 3]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quote_that_never_closes_is_named_and_swallows_nothing(
    tmp_path: Path, rows: list[str], opened: list[int], end: str
) -> None:
    sample = read_sample(write(tmp_path, end.join(["text,label", *rows, ""])))
    assert [str(bad) for bad in sample.bad] == [f"line {line} skipped: {NEVER}" for line in opened]
    assert [row.line for row in sample.rows] == [line for line in range(2, len(rows) + 2) if line not in opened]
    assert all(row.label in ("late", "broken") for row in sample.rows)


def test_a_header_whose_quote_never_closes_is_refused_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"a\.csv has no readable header; line 1: a quotation mark opens here"):
        read_sample(write(tmp_path, '"text,label\nWhere is it,late\n"Still, here",late\n'))


def test_texts_of_several_lines_stay_whole(tmp_path: Path) -> None:
    texts = ["Hello, I wait\nbye", "Dear all,\n\nIt is late, again.\nBye, you", 'A "good" one\nsaid, she']
    quoted = ['"' + text.replace('"', '""') + '",late' for text in texts]
    sample = read_sample(write(tmp_path, "\n".join(["text,label", quoted[0], "one line,broken", *quoted[1:], ""])))
    assert [row.text for row in sample.rows] == [texts[0], "one line", *texts[1:]]
    assert sample.bad == ()


def test_quotes_within_a_cell_that_nobody_doubled_cost_no_row(tmp_path: Path) -> None:
    sample = read_sample(write(tmp_path, 'text,label\n"The "nice" box",late\n"Hello" he said,broken\n'))
    assert [(row.line, row.label) for row in sample.rows] == [(2, "late"), (3, "broken")]


@given(
    rows=st.lists(st.text(st.sampled_from('ab ,;"\r\n\t|'), max_size=12), min_size=1, max_size=8),
    broken=st.integers(0, 7),
)
@settings(deadline=None)
def test_well_formed_rows_are_read_as_they_were_written_and_others_raise_nothing_unforeseen(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], broken: int
) -> None:
    folder = tmp_path_factory.mktemp("table")
    lines = [f'"x{row.replace(chr(34), chr(34) * 2)}",label{number}' for number, row in enumerate(rows)]
    sample = read_sample(write(folder, "\n".join(["text,label", *lines, ""])))
    assert [row.text for row in sample.rows] == [f"x{row}".strip() for row in rows]
    lines.insert(broken, '"open')
    try:
        found = read_sample(write(folder, "\n".join(["text,label", *lines, ""]), "b.csv"))
    except SampleError:
        return
    assert found.bad
