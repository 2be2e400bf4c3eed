"""From the bytes of a file to its text: UTF-8, or UTF-16 and UTF-32 that begin with a byte order mark."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.commands.start.sample.row import BadRow, Record
from backend.errors import SampleError

MARKS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OTHER_FILES = (
    (b"PK\x03\x04", "an Excel workbook or a zip file; give it its own ending, .xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old or protected Office file; save it as .xlsx without a password, or as CSV UTF-8"),
    (b"\x1f\x8b", "gzipped; give it the ending .gz"),
    (b"%PDF", "a PDF file; save its table as CSV UTF-8"),
)
AT_LINE_START = re.compile("(^|[\r\n])\ufeff+")
UNDECODED = re.compile("[\ud800-\udfff]")


def decode(content: bytes, path: Path) -> tuple[str, str]:
    """The text, and the name of an encoding in which no file should come ("" if there is nothing to say).

    Bytes that are not UTF-8 become lone surrogates, so that a bad one costs its row. Byte order marks at the start of
    any line go: tools that append to a file repeat them. SampleError for other kinds of files.
    """
    for magic, what in OTHER_FILES:
        if content.startswith(magic):
            raise SampleError(f"{path} is {what}")
    unmarked = content.removeprefix(codecs.BOM_UTF8)
    marked = next((name for mark, name in MARKS if unmarked.startswith(mark)), "")
    if marked:
        try:
            return _without_marks(unmarked.decode(marked)), ""
        except UnicodeDecodeError as error:
            raise SampleError(f'{path} is damaged {marked.upper()} ({error.reason}); save it as "CSV UTF-8"') from None
    guess = _unmarked_utf_16(content)
    if guess:
        return content.decode(guess, errors="replace"), "UTF-16 without a byte order mark"
    return _without_marks(content.decode("utf-8", errors="surrogateescape")), ""


def refuse_foreign(rows: Sequence[Record], encoding: str, path: Path) -> None:
    """SampleError if the file as a whole is in another encoding, with the number of rows that are not UTF-8.

    That is so where more rows are not UTF-8 than have characters beyond ASCII that are; else single rows are damaged.
    """
    texts = [(line, _text(row)) for line, row in rows]
    foreign = [line for line, text in texts if encoding or UNDECODED.search(text)]
    proper = sum(not text.isascii() and not UNDECODED.search(text) for _, text in texts)
    if len(foreign) > (0 if encoding else proper):
        named = f" (the file is {encoding})" if encoding else f" (the first in line {foreign[0]})"
        wanted = "UTF-8" if ".json" in path.name.lower() else '"CSV UTF-8"'
        raise SampleError(
            f"{path}: {len(foreign)} of {len(rows)} rows are not UTF-8{named}; save it as {wanted} and start again. "
            "Nothing was imported"
        )


def _text(row: dict[str, Any] | BadRow) -> str:
    return row.reason if isinstance(row, BadRow) else json.dumps(row, ensure_ascii=False)


def _without_marks(text: str) -> str:
    return AT_LINE_START.sub(r"\1", text) if "\ufeff" in text else text


def _unmarked_utf_16(content: bytes) -> str:
    """The codec of UTF-16 without a mark: ASCII, at least line ends and separators, has a NUL as its other byte."""
    nuls, ends = content.count(b"\0"), content.count(b"\n") + content.count(b"\r")
    if not nuls or nuls < ends:
        return ""
    low = content[1::2].count(0) / nuls  # share of the NULs that are the second byte of their character
    if low > 0.8 and b"\n\0" in content:
        return "utf-16-le"
    return "utf-16-be" if low < 0.2 and b"\0\n" in content else ""
