import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.commands.start.sample.file import SampleRow, read_sample
from backend.commands.start.sample.label_space import shipped_messages
from backend.errors import SampleError


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\nI paid twice,billing\nWhere is it?,delivery\n"),
        ("a.csv", "text;label\r\nI paid twice;billing\r\nWhere is it?;delivery\r\n"),
        ("a.tsv", "label\ttext\nbilling\tI paid twice\ndelivery\tWhere is it?\n"),
        ("a.csv", "\ufeffText,Label\nI paid twice,billing\nWhere is it?,delivery\n"),
        ("a.jsonl", '{"text": "I paid twice", "label": "billing"}\n{"text": "Where is it?", "label": "delivery"}\n'),
        ("a.json", '[{"text": "I paid twice", "label": "billing"}, {"text": "Where is it?", "label": "delivery"}]'),
        (
            "a.json",
            '[{"data": {"text": "I paid twice", "label": "billing"}}, {"text": "Where is it?", "label": "delivery"}]',
        ),
    ],
)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, content: str, zipped: bool) -> None:
    data = content.encode()
    path = write(tmp_path, name + ".gz" * zipped, gzip.compress(data) if zipped else data)
    sample = read_sample(path)
    assert [(row.text, row.label) for row in sample.rows] == [("I paid twice", "billing"), ("Where is it?", "delivery")]
    assert sample.labels == ("billing", "delivery")
    assert sample.bad == ()


def test_a_spreadsheet_in_utf_16_is_read(tmp_path: Path) -> None:
    sample = read_sample(write(tmp_path, "a.csv", "text,label\nFür Käthe,x\n".encode("utf-16")))
    assert sample.rows == (SampleRow(2, "Für Käthe", "x"),)


def test_rows_keep_their_line_also_behind_a_text_of_several_lines(tmp_path: Path) -> None:
    sample = read_sample(write(tmp_path, "a.csv", 'text,label\n"two\nlines",a\n\nlast one,b\n'))
    assert [(row.line, row.text) for row in sample.rows] == [(2, "two\nlines"), (5, "last one")]


def test_bad_rows_are_named_by_line_and_left_out(tmp_path: Path) -> None:
    lines = [b'{"text": "good one"}', b"{broken", b"[1]", b'{"text": "  "}', b'{"text": 7}', b"", b'{"other": 1}']
    lines[0] = '{"text": "gööd öne"}'.encode()  # the file is UTF-8, and one row is damaged
    lines += [b'{"text": "caf\xe9"}', b'{"text": "null \\u0000 byte"}', b'{"text": "good two", "label": 3}']
    lines += [b'{"text": "a label", "label": "be\\u0007ll"}']
    sample = read_sample(write(tmp_path, "a.jsonl", b"\n".join(lines)))
    assert [row.text for row in sample.rows] == ["gööd öne", "good two"]
    assert sample.rows[1].label == "3"
    assert [bad.line for bad in sample.bad] == [2, 3, 4, 5, 7, 8, 9, 11]
    reasons = [str(bad) for bad in sample.bad]
    assert reasons[0].startswith("line 2 skipped: not JSON")
    assert reasons[2] == "line 4 skipped: no text in column 'text'"
    assert "not valid UTF-8" in reasons[5]
    assert "NUL" in reasons[6]
    assert "control characters" in reasons[7]


def test_a_row_with_too_many_columns_is_named(tmp_path: Path) -> None:
    sample = read_sample(write(tmp_path, "a.csv", "text,label\nfine,a\nnot, so, fine\n"))
    assert [str(bad) for bad in sample.bad] == ["line 3 skipped: 3 columns, but the header has 2"]


def test_a_text_that_is_too_long_is_named(tmp_path: Path) -> None:
    sample = read_sample(write(tmp_path, "a.csv", 'text\nfine\n"long ' + "and on\n" * 20_000 + '"\n'))
    assert [row.text for row in sample.rows] == ["fine"]
    assert "characters, more than" in str(sample.bad[0])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "text,label\n", "a.csv is empty"),
        ("a.jsonl", "\n\n", "a.jsonl is empty"),
        ("a.json", "[]", "a.json is empty"),
        ("a.json", "", "a.json is empty"),
        ("a.json", "{}", "must hold a JSON list"),
        ("a.json", '{"text": "a"}\n{"text": "b"}', r"one object per line is called \.jsonl"),
        ("a.xls", "x", r"unknown kind of file '\.xls'"),
        ("a", "x", "unknown kind of file 'a'"),
        ("a.csv.gz", "not gzip", "not a complete gzip file"),
        ("a.csv", "n,m\n1,2\n", "has no column with texts"),
        ("a.jsonl", "nonsense\n", "has no usable row; line 1 skipped"),
        ("a.jsonl", '{"text": ""}\n', "has no usable row; line 1 skipped"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        read_sample(write(tmp_path, name, content))


def test_a_missing_file_and_a_cut_off_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"none\.csv does not exist; give an existing file as SAMPLE=<file>"):
        read_sample(tmp_path / "none.csv")
    with pytest.raises(SampleError, match="cannot be read"):
        read_sample(tmp_path)
    whole = gzip.compress(b"text\n" + b"some words here\n" * 100)
    with pytest.raises(SampleError, match="not a complete gzip file"):
        read_sample(write(tmp_path, "a.csv.gz", whole[:-9]))


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=9)
)
@settings(deadline=None)
def test_any_text_survives_json_lines(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("sample") / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in ["first words here", *texts]))
    sample = read_sample(path)
    assert [row.text for row in sample.rows][1:] == [text.strip() for text in texts if text.strip()]


def test_the_digest_follows_the_content_not_the_name(tmp_path: Path) -> None:
    first = read_sample(write(tmp_path, "a.csv", "text\none two three\n"))
    assert read_sample(write(tmp_path, "b.csv", "text\none two three\n")).digest == first.digest
    assert read_sample(write(tmp_path, "c.csv", "text\none two four\n")).digest != first.digest


def test_the_shipped_messages_are_complete() -> None:
    sample = read_sample(shipped_messages())
    assert len(sample.rows) >= 320
    assert sample.bad == ()
    assert len({row.text for row in sample.rows}) == len(sample.rows)
    assert len(sample.labels) == 8
    per_label = [sum(row.label == label for row in sample.rows) for label in sample.labels]
    assert min(per_label) >= 40
