import codecs
import gzip
from pathlib import Path

import pytest

from backend.commands.start.sample.file import read_sample
from backend.errors import SampleError

GERMAN = "text;label\r\nZwei Wochen zu spät;verspätet\r\nDie Tasse ist hin;kaputt\r\nGröße passt nicht;falsch\r\n"
KOREAN = "text,label\n소포가 늦게 도착했습니다,지연\n컵이 깨졌습니다,파손\nall fine here,지연\n"
CHINESE = "text,label\n包裹上午又晚到了　两周,迟到\n杯子碎了,破损\n"
ENGLISH = "text,label\r\nThe parcel is late again,late\r\nThe mug came in pieces,broken\r\n"


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        (GERMAN, "cp1252", "2 of 3 rows are not UTF-8 (the first in line 2)"),
        (GERMAN, "mac_roman", "2 of 3 rows"),
        (KOREAN, "cp949", "3 of 3 rows"),
        (CHINESE, "gb18030", "2 of 2 rows"),
        (CHINESE, "big5", "2 of 2 rows"),
        (ENGLISH, "utf-16-le", "2 of 2 rows are not UTF-8 (the file is UTF-16 without a byte order mark)"),
        (ENGLISH, "utf-16-be", "2 of 2 rows are not UTF-8 (the file is UTF-16 without a byte order mark)"),
        (CHINESE, "utf-16-le", "2 of 2 rows are not UTF-8"),
        (CHINESE, "utf-16-be", "2 of 2 rows are not UTF-8"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
def test_a_file_in_another_encoding_is_refused_with_the_number_of_its_rows(
    tmp_path: Path, text: str, encoding: str, count: str, zipped: bool
) -> None:
    content = text.replace("　" if encoding == "big5" else "\0", " ").encode(encoding, errors="replace")
    path = tmp_path / ("a.csv" + ".gz" * zipped)
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(SampleError) as refused:
        read_sample(path)
    assert count in str(refused.value)
    assert 'save it as "CSV UTF-8" and start again. Nothing was imported' in str(refused.value)


def test_json_in_another_encoding_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        '{"text": "zu spät", "label": "a"}\n{"text": "ok", "label": "b"}\n'.encode("cp1252")
    )
    with pytest.raises(SampleError, match=r"1 of 2 rows are not UTF-8 \(the first in line 1\); save it as UTF-8 and"):
        read_sample(tmp_path / "a.jsonl")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_files_with_a_mark_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(KOREAN.encode(encoding))
    assert read_sample(tmp_path / "a.csv").labels == ("지연", "파손")


def test_damaged_utf_16_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(codecs.BOM_UTF16_LE + ENGLISH.encode("utf-16-le")[:-1])
    with pytest.raises(SampleError, match="damaged UTF-16"):
        read_sample(tmp_path / "a.csv")


def test_one_damaged_row_of_a_utf_8_file_costs_that_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\nzu spät,a\ngrößer,b\n".encode() + b"caf\xe9 zu,b\n")
    sample = read_sample(tmp_path / "a.csv")
    assert len(sample.rows) == 2
    assert [str(bad) for bad in sample.bad] == ["line 4 skipped: it is not valid UTF-8"]


@pytest.mark.parametrize(
    ("head", "word"), [(b"PK\x03\x04...", "xlsx"), (b"\xd0\xcf\x11\xe0...", "password"), (b"\x1f\x8b\x08", "gz")]
)
def test_files_of_other_kinds_under_a_wrong_name_are_told(tmp_path: Path, head: bytes, word: str) -> None:
    (tmp_path / "a.csv").write_bytes(head)
    with pytest.raises(SampleError, match=word):
        read_sample(tmp_path / "a.csv")
